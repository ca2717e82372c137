-- Less on disk for a message: a key is kept as a hash in its index, and what a retry must repeat only where the row does not say it.

-- Where a key stands in `messages_key`: so that those of a sender are near one another, two bytes of a small hash of it come first; in the rest no two
-- keys meet by chance. Ids hold no control characters. Nothing but what is built in and immutable, so that it costs no call.
CREATE FUNCTION log_key_hash(of_chat text, of_sender text, key text)
RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT substr(int4send(hashtext(of_sender)), 3)
    || substr(sha256(replace(of_chat || E'\n' || of_sender || E'\n' || key, E'\\', E'\\\\')::bytea), 1, 13)
$$;
--> statement-breakpoint
-- A table that is not large gets its indexes here, others beside the running service (services/log/keys.ts); `messages_once` goes last.
DO $$ BEGIN
  IF pg_relation_size('messages') < 16 * 1024 * 1024 THEN
    CREATE UNIQUE INDEX messages_key ON messages (log_key_hash(chat_id, sender_id, client_message_id)) WHERE client_message_id IS NOT NULL;
    CREATE INDEX messages_sender ON messages (sender_id COLLATE "POSIX", (chat_id || ''));
    DROP INDEX messages_once;
  END IF;
END $$;
--> statement-breakpoint
-- The message that a sender's key has made in a chat: found by the hash, or by `messages_once` while that is there, and told by the three themselves.
CREATE FUNCTION log_find_sent(of_chat text, of_sender text, key text)
RETURNS SETOF messages
LANGUAGE sql STABLE AS $$
  SELECT x.* FROM messages x
  WHERE log_key_hash(x.chat_id, x.sender_id, x.client_message_id) = log_key_hash(of_chat, of_sender, key)
    AND x.sender_id = of_sender AND x.chat_id COLLATE "POSIX" = of_chat AND x.client_message_id = key
  OFFSET 0
$$;
--> statement-breakpoint
-- What a retry must repeat, as one text; `asked` is what a send asks to name and to carry. The metadata is text as a hook left it, or as a column has it.
CREATE FUNCTION log_body(of_reply uuid, asked text, with_metadata text, with_content text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(of_reply::text, '-') || coalesce(asked, '') || coalesce(with_metadata, '-') || coalesce(with_content, '')
$$;
--> statement-breakpoint
-- What is kept of it: 16 bytes; older versions kept 32.
CREATE FUNCTION log_body_hash(body text)
RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT substr(sha256(convert_to(body, 'UTF8')), 1, 16)
$$;
--> statement-breakpoint
-- Whether that is what was kept.
CREATE FUNCTION log_is_body(kept bytea, body text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT substr(sha256(convert_to(body, 'UTF8')), 1, octet_length(kept)) = kept
$$;
--> statement-breakpoint
-- Before the row says something else, by whichever function: keeps what a retry must repeat. A message that was changed before and has no hash is
-- an import's, of which nothing is known.
CREATE FUNCTION log_keep_body()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.body_hash := log_body_hash(log_body(OLD.reply_to_id, NULL, OLD.metadata::text, OLD.content));
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER messages_body BEFORE UPDATE OF content, metadata ON messages FOR EACH ROW
WHEN (OLD.client_message_id IS NOT NULL AND OLD.body_hash IS NULL AND OLD.edited_at IS NULL AND OLD.deleted_at IS NULL)
EXECUTE FUNCTION log_keep_body();
--> statement-breakpoint
-- As before, but for how a key is found.
CREATE OR REPLACE FUNCTION log_refuse_sends(sends json, now_ms timestamptz)
RETURNS json
LANGUAGE sql
SET enable_seqscan = off
AS $$
  WITH asked AS MATERIALIZED (
    SELECT s.ord, m.muted_until, m.last_sent_at,
      log_refusal(m.role, m.muted_until, c.is_blocked, c.is_frozen, s.by_service, now_ms) AS refusal,
      CASE WHEN m.role = 'member' AND s.by_service IS NOT TRUE THEN c.slow_mode_seconds ELSE 0 END * interval '1 second' AS pause,
      CASE WHEN s.client_message_id IS NULL THEN s.ord
        ELSE min(s.ord) OVER (PARTITION BY s.chat_id, s.sender_id, s.client_message_id) END AS first_ord,
      min(s.ord) OVER (PARTITION BY s.chat_id, s.sender_id) AS first_of_sender
    FROM json_to_recordset(sends) AS s (ord integer, chat_id text, sender_id text, client_message_id text, by_service boolean)
    JOIN LATERAL (SELECT * FROM members x WHERE x.chat_id = s.chat_id AND x.user_id = s.sender_id OFFSET 0) m ON true
    JOIN LATERAL (SELECT * FROM chats x WHERE x.id = s.chat_id OFFSET 0) c ON true
    LEFT JOIN LATERAL log_find_sent(s.chat_id, s.sender_id, s.client_message_id) o ON true
    WHERE o.id IS NULL
  )
  SELECT coalesce(json_agg(json_build_array(a.ord, coalesce(a.refusal, 'slow'),
    CASE WHEN a.refusal IS NULL THEN greatest(a.last_sent_at + a.pause, CASE WHEN a.first_ord <> a.first_of_sender THEN now_ms + a.pause END)
      WHEN a.refusal = 'muted' THEN a.muted_until END)), '[]')
  FROM asked a
  WHERE a.refusal IS NOT NULL
    OR (a.pause > interval '0' AND (a.first_ord <> a.first_of_sender OR a.last_sent_at + a.pause > now_ms))
$$;
--> statement-breakpoint
-- As before, but for how a key is found, and what a retry is held against.
CREATE OR REPLACE FUNCTION log_append_held(sends json, now_ms timestamptz, has_rules boolean, OUT outcomes json)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  refused json;
BEGIN
  IF has_rules THEN
    refused := log_refuse_sends(sends, now_ms);
    SELECT coalesce(json_agg(e.send ORDER BY e.place), '[]') INTO sends FROM json_array_elements(sends) WITH ORDINALITY AS e (send, place)
    WHERE NOT EXISTS (SELECT 1 FROM json_array_elements(refused) AS f (one) WHERE (f.one->>0)::integer = (e.send->>'ord')::integer);
  END IF;

  WITH input AS MATERIALIZED (
    SELECT s.*,
      -- what a retry must repeat; only a send with a key has one
      CASE WHEN s.client_message_id IS NULL THEN NULL
        WHEN s.original IS NULL THEN log_body(s.reply_to_id, s.more->>'asked', s.metadata::text, s.content)
        ELSE log_body(s.reply_to_id, s.more->>'asked', (s.original->'metadata')::text, s.original->>'content') END AS body
    FROM json_to_recordset(sends) AS s (
      ord integer, id uuid, chat_id text, sender_id text, client_message_id text, content text, reply_to_id uuid, metadata jsonb, original jsonb,
      more jsonb)
  ), seen AS MATERIALIZED (
    SELECT i.*,
      m.role IS NOT NULL AS is_member, c.last_seq, c.revision AS head,
      o.id AS old_id, o.body_hash AS old_hash, o.seq AS old_seq, o.revision AS old_revision,
      CASE WHEN o.id IS NOT NULL AND o.edited_at IS NULL AND o.deleted_at IS NULL THEN
        log_body(o.reply_to_id, NULL, o.metadata::text, o.content) END AS old_body,
      i.reply_to_id IS NULL OR r.id IS NOT NULL AS reply_known, r.seq AS reply_to_seq,
      -- of those that carry one key, the first that can be stored stands for them all
      CASE WHEN i.client_message_id IS NULL THEN i.ord
        ELSE min(i.ord) FILTER (WHERE i.reply_to_id IS NULL OR r.id IS NOT NULL)
          OVER (PARTITION BY i.chat_id, i.sender_id, i.client_message_id) END AS first_ord
    FROM input i
    LEFT JOIN LATERAL (
      SELECT x.role, x.visible_from_seq FROM members x WHERE x.chat_id = i.chat_id AND x.user_id = i.sender_id OFFSET 0) m ON true
    LEFT JOIN LATERAL log_find_sent(i.chat_id, i.sender_id, i.client_message_id) o ON true
    LEFT JOIN LATERAL (SELECT x.history_visibility, x.first_seq, x.last_seq, x.revision FROM chats x WHERE x.id = i.chat_id OFFSET 0) c ON true
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x.chat_id FROM messages x WHERE x.id = i.reply_to_id OFFSET 0) r
      ON r.chat_id = i.chat_id AND r.seq >= c.first_seq AND (c.history_visibility = 'all' OR r.seq >= m.visible_from_seq)
  ), fresh AS MATERIALIZED (
    SELECT s.*,
      s.last_seq + (row_number() OVER w)::integer AS new_seq,
      s.head + (row_number() OVER w)::integer AS new_revision
    FROM seen s
    WHERE s.is_member AND s.old_id IS NULL AND s.reply_known AND s.first_ord = s.ord
    WINDOW w AS (PARTITION BY s.chat_id ORDER BY s.ord)
  ), stored AS (
    INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, body_hash, content, reply_to_id, metadata, created_at,
      reply_to_seq, mentions, attachments)
    SELECT f.id, f.chat_id, f.new_seq, f.new_revision, f.sender_id, f.client_message_id,
      CASE WHEN f.original IS NOT NULL OR f.more->>'asked' IS NOT NULL THEN log_body_hash(f.body) END, f.content, f.reply_to_id, f.metadata, now_ms,
      f.reply_to_seq, f.more->'mentions', f.more->'attachments'
    FROM fresh f
  ), logged AS (
    INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id, at)
    SELECT f.chat_id, f.new_revision, 'message_created', f.id, f.sender_id, now_ms FROM fresh f
  ), counted AS (
    UPDATE chats c SET last_seq = n.seq, revision = n.revision, last_activity_at = now_ms
    FROM (SELECT f.chat_id, max(f.new_seq) AS seq, max(f.new_revision) AS revision FROM fresh f GROUP BY f.chat_id) n
    WHERE c.id = n.chat_id
  ), marked AS (
    UPDATE members m SET last_read_seq = n.seq
    FROM (SELECT f.chat_id, f.sender_id, max(f.new_seq) AS seq FROM fresh f GROUP BY f.chat_id, f.sender_id) n
    WHERE m.chat_id = n.chat_id AND m.user_id = n.sender_id AND m.last_read_seq < n.seq
  )
  SELECT json_agg(json_build_array(
    CASE
      WHEN NOT s.is_member THEN 'no_member'
      WHEN s.old_id IS NULL AND NOT s.reply_known THEN 'no_reply'
      WHEN s.old_hash IS NOT NULL THEN CASE WHEN log_is_body(s.old_hash, s.body) THEN 'duplicate' ELSE 'conflict' END
      WHEN coalesce(s.old_body, f.body) <> s.body THEN 'conflict'
      WHEN s.ord = f.ord THEN 'stored'
      ELSE 'duplicate' END,
    coalesce(s.old_id, f.id), coalesce(s.old_seq, f.new_seq), coalesce(s.old_revision, f.new_revision), u.name, u.avatar_url, NULL,
    f.reply_to_seq
  ) ORDER BY s.ord) INTO outcomes
  FROM seen s
  LEFT JOIN fresh f ON f.ord = s.first_ord
  LEFT JOIN LATERAL (SELECT x.name, x.avatar_url FROM users x WHERE x.id = s.sender_id OFFSET 0) u ON true;

  IF has_rules THEN
    outcomes := log_join_outcomes(sends, outcomes, refused, now_ms);
  END IF;
END $$;
--> statement-breakpoint
-- As before, but for how a key is found.
CREATE OR REPLACE FUNCTION log_find_more(send json)
RETURNS jsonb
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  of_chat text := send->>'chat_id';
  by_user text := send->>'sender_id';
  more jsonb := send->'more';
  held record;
BEGIN
  IF jsonb_array_length(more->'attachmentIds') > 0
    AND EXISTS (SELECT 1 FROM members m WHERE m.chat_id = of_chat AND m.user_id = by_user)
    AND NOT EXISTS (
      SELECT 1 FROM log_find_sent(of_chat, by_user, send->>'client_message_id')) THEN
    SELECT * INTO held FROM log_hold_uploads(of_chat, by_user, ARRAY(SELECT i::uuid FROM jsonb_array_elements_text(more->'attachmentIds') AS i));
  ELSE
    SELECT NULL::jsonb AS attachments, NULL::integer AS fault INTO held;
  END IF;
  -- What an attachment does not say stays null.
  RETURN jsonb_strip_nulls(jsonb_build_object('asked', more->'asked', 'fault', held.fault,
    'mentions', log_find_mentions(of_chat, by_user, more->'mentions')))
    || CASE WHEN held.attachments IS NULL THEN '{}' ELSE jsonb_build_object('attachments', held.attachments) END;
END $$;
--> statement-breakpoint
-- Whether what somebody wrote is found by `messages_once`, as before, or by `messages_sender`, which is made beside the running service.
CREATE FUNCTION log_has_once()
RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = to_regclass('messages_once') AND i.indisvalid)
$$;
--> statement-breakpoint
-- The messages of a user in a chat above a seq, as their seqs in order, at most `most`: found by who wrote them, not by the chat, however large that is.
CREATE OR REPLACE FUNCTION log_seqs_of(of_user text, of_chat text, above integer, most integer)
RETURNS integer[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
BEGIN
  IF log_has_once() THEN
    RETURN array(
      SELECT m.seq FROM messages m JOIN LATERAL (SELECT x.first_seq FROM chats x WHERE x.id = of_chat OFFSET 0) c ON m.seq >= c.first_seq
      WHERE m.sender_id = of_user AND m.chat_id COLLATE "POSIX" = of_chat AND m.seq > above AND m.deleted_at IS NULL
      ORDER BY m.seq LIMIT most);
  END IF;
  RETURN array(
    SELECT m.seq FROM messages m JOIN LATERAL (SELECT x.first_seq FROM chats x WHERE x.id = of_chat OFFSET 0) c ON m.seq >= c.first_seq
    WHERE m.sender_id COLLATE "POSIX" = of_user AND m.chat_id || '' = of_chat AND m.seq > above AND m.deleted_at IS NULL
    ORDER BY m.seq LIMIT most);
END $$;
--> statement-breakpoint
-- The next chat by id in which a user has written; null when there is none.
CREATE OR REPLACE FUNCTION log_next_chat_of(of_user text, above text)
RETURNS text
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
BEGIN
  IF log_has_once() THEN
    RETURN (SELECT m.chat_id FROM messages m WHERE m.sender_id = of_user AND m.chat_id COLLATE "POSIX" > above
      ORDER BY m.chat_id COLLATE "POSIX" LIMIT 1);
  END IF;
  RETURN (SELECT m.chat_id FROM messages m WHERE m.sender_id COLLATE "POSIX" = of_user AND m.chat_id || '' > above
    ORDER BY m.chat_id || '' LIMIT 1);
END $$;
--> statement-breakpoint
-- Makes or finds a chat as the function without an actor does; what is made was made by them, or by a service (null).
CREATE FUNCTION log_create_chat(new_id text, of_type text, of_title text, visibility text, pair text, owner text, founders text[], max_chats integer, with_metadata jsonb, by_actor text, OUT chat_id text, OUT created boolean, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  SELECT f.* INTO chat_id, created, added
  FROM log_create_chat(new_id, of_type, of_title, visibility, pair, owner, founders, max_chats, with_metadata) AS f;
  IF created AND by_actor IS DISTINCT FROM owner THEN
    UPDATE chat_log l SET actor_id = by_actor WHERE l.chat_id = new_id AND l.revision = 1;
  END IF;
END $$;
--> statement-breakpoint
-- In large tables the database's own shares of a table would have it wait for millions of rows.
ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
ALTER TABLE chat_log SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
ALTER TABLE chats SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
--> statement-breakpoint
ALTER TABLE members SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
