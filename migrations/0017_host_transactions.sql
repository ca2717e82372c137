CREATE TABLE "log_limits" (
	"id" integer PRIMARY KEY NOT NULL,
	"max_message_chars" integer NOT NULL
);

--> statement-breakpoint
-- What a host calls inside its own transaction; the law of 0001 holds: lock first, look second.

-- The id of a new message, as the nodes make them: a UUIDv7.
CREATE FUNCTION log_create_id()
RETURNS uuid
LANGUAGE sql VOLATILE AS $$
  -- Bits 52 and 53 make a version 7 of the version 4.
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
--> statement-breakpoint
-- Why metadata is none, or null where it is; contract/fields.ts has the law.
CREATE FUNCTION log_metadata_fault(metadata jsonb, max_bytes integer, max_depth integer)
RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  WITH RECURSIVE node (value, depth) AS (
    SELECT metadata, 1
    UNION ALL
    SELECT child.value, n.depth + 1 FROM node n CROSS JOIN LATERAL (
      SELECT e.value FROM jsonb_each(CASE jsonb_typeof(n.value) WHEN 'object' THEN n.value ELSE '{}' END) AS e
      UNION ALL
      SELECT e.value FROM jsonb_array_elements(CASE jsonb_typeof(n.value) WHEN 'array' THEN n.value ELSE '[]' END) AS e) child
    WHERE n.depth <= max_depth
  )
  SELECT CASE
    WHEN jsonb_typeof(metadata) <> 'object' THEN 'must be object'
    WHEN bool_or(depth > max_depth AND jsonb_typeof(value) IN ('object', 'array')) THEN 'must not be deeper than ' || max_depth || ' levels'
    WHEN bool_or(jsonb_typeof(value) = 'object' AND value ?| ARRAY['__proto__', 'constructor', 'prototype'])
      THEN 'must not have a key named __proto__, constructor or prototype'
    -- From here on a double rounds to infinity.
    WHEN bool_or(CASE jsonb_typeof(value) WHEN 'number' THEN abs((value#>>'{}')::numeric) >= 1.7976931348623158e308 ELSE false END)
      THEN 'must not hold numbers that JSON cannot'
    WHEN log_json_bytes(metadata) > max_bytes THEN 'must not be larger than ' || max_bytes || ' bytes' END
  FROM node
$$;
--> statement-breakpoint
-- Why a host's message is none, as a fault of the contract; null where it is one.
CREATE FUNCTION log_message_fault(content text, client_message_id text, metadata jsonb)
RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
  max_chars integer := coalesce((SELECT l.max_message_chars FROM log_limits l WHERE l.id = 1), 8000);
  fault text;
BEGIN
  IF content IS NULL AND coalesce(metadata, '{}') = '{}' THEN
    RETURN json_build_object('path', '/content', 'message', 'is missing');
  ELSIF content !~ '[^\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]' THEN
    RETURN json_build_object('path', '/content', 'message', 'must not be only white space');
  ELSIF char_length(content) > max_chars THEN
    RETURN json_build_object('path', '/content', 'message', 'must not have more than ' || max_chars || ' characters');
  ELSIF char_length(client_message_id) NOT BETWEEN 1 AND 128 OR client_message_id ~ '[\u0001-\u001f\u007f-\u009f]' THEN
    RETURN json_build_object('path', '/clientMessageId', 'message', 'must be 1 to 128 characters without control characters');
  ELSIF metadata IS NOT NULL THEN
    fault := log_metadata_fault(metadata, 4096, 8);
    IF fault IS NOT NULL THEN
      RETURN json_build_object('path', '/metadata', 'message', fault);
    END IF;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Fails a host's send as the catalogue does: the SQLSTATE is MS and the code's HTTP status, and the detail is the error of contract/errors.ts.
CREATE FUNCTION log_fail(status integer, code text, says text, more jsonb)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'MS' || status, MESSAGE = code || ': ' || says,
    DETAIL = (jsonb_build_object('code', code, 'message', says, 'retryable', status = 429) || more)::text;
END $$;
--> statement-breakpoint
-- Fails unless a host's send was stored, or had been; `until` is when a refusal ends, `at` the time of the send.
CREATE FUNCTION log_must_be_stored(outcome text, until timestamptz, at timestamptz)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  reason jsonb := jsonb_build_object('reason', CASE outcome WHEN 'slow' THEN 'slow_mode' ELSE outcome END);
BEGIN
  CASE outcome
    WHEN 'stored', 'duplicate' THEN
      RETURN;
    WHEN 'conflict' THEN
      PERFORM log_fail(409, 'IDEMPOTENCY_CONFLICT', 'This clientMessageId was used with another body.', '{}');
    WHEN 'muted' THEN
      PERFORM log_fail(403, 'FORBIDDEN', 'You are muted in this chat.', jsonb_build_object('details',
        reason || jsonb_build_object('until', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))));
    WHEN 'blocked' THEN
      PERFORM log_fail(403, 'FORBIDDEN', 'There is nothing to be said between you two.', jsonb_build_object('details', reason));
    WHEN 'frozen' THEN
      PERFORM log_fail(403, 'FORBIDDEN', 'Only owners and admins write in this chat now.', jsonb_build_object('details', reason));
    WHEN 'slow' THEN
      PERFORM log_fail(429, 'RATE_LIMITED', 'This chat is in slow mode; wait a little.', jsonb_build_object(
        'retryAfterMs', ceil(extract(epoch FROM until - at) * 1000)::integer, 'details', reason));
    ELSE
      PERFORM log_fail(404, 'NOT_FOUND', 'There is no such chat, or the sender is no member of it.', '{}');
  END CASE;
END $$;
--> statement-breakpoint
-- A message as part of a host's transaction, version 1: docs/host-transactions.md. It holds the chat's row until that ends, is numbered, checked and
-- refused as any other send of its sender, and told to all nodes when that is committed.
CREATE FUNCTION chat_send_message(chat_id text, sender_id text, content text, client_message_id text DEFAULT NULL, metadata jsonb DEFAULT NULL,
  OUT id uuid, OUT seq integer, OUT revision integer, OUT duplicate boolean)
LANGUAGE plpgsql
-- With the rights of the owner, so that a host needs none on our tables. The host's own settings must not reach in here: neither its schemas,
-- of which more below, nor its time zone, nor a compiler that takes longer than all of this.
SECURITY DEFINER
SET timezone = 'UTC'
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
  fault json := log_message_fault(content, client_message_id, metadata);
  sent record;
  outcome json;
BEGIN
  IF fault IS NOT NULL THEN
    PERFORM log_fail(400, 'VALIDATION_FAILED', 'The payload does not fit its schema.', jsonb_build_object('details', json_build_array(fault)));
  END IF;
  SELECT * INTO sent FROM log_append(ARRAY[chat_id], json_build_array(json_build_object('ord', 0, 'id', log_create_id(), 'chat_id', chat_id,
    'sender_id', sender_id, 'client_message_id', client_message_id, 'content', content, 'metadata', metadata, 'by_service', false)));
  outcome := sent.outcomes->0;
  PERFORM log_must_be_stored(outcome->>0, (outcome->>6)::timestamptz, sent.at);
  id := outcome->>1;
  seq := outcome->>2;
  revision := outcome->>3;
  duplicate := outcome->>0 = 'duplicate';
  IF NOT duplicate THEN
    -- PostgreSQL tells this at the commit, and never without one. Whoever listens knows the channel by the schema: services/bus/hosts.ts.
    PERFORM pg_notify('chat_hosts_' || left(encode(sha256(convert_to(current_schema(), 'UTF8')), 'hex'), 20),
      json_build_array(chat_id, revision)::text);
  END IF;
END $$;
--> statement-breakpoint
-- Our schema, and behind it, where it would else stand first of all, that of temporary tables, in which a host could put a table of our names.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION chat_send_message SET search_path = %I, pg_temp', current_schema());
END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION chat_send_message FROM PUBLIC;
--> statement-breakpoint
COMMENT ON FUNCTION chat_send_message IS
  'Version 1. Stores a chat message in the transaction that calls this; see docs/host-transactions.md. Arguments, columns and SQLSTATEs stay as they are.';
