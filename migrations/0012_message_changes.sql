-- Changes of messages as a group commit; pins, mentions and metadata. The law is that of 0001: lock first, look second.

-- Of whom a message asks to name, those it names: members of its chat, in the order given, and everyone if an owner, an admin or one of two
-- says so; null for nobody.
CREATE FUNCTION log_mentions(of_chat text, by_actor text, asked jsonb)
RETURNS jsonb
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  named jsonb;
  is_everyone boolean;
BEGIN
  SELECT coalesce(jsonb_agg(a.user_id ORDER BY a.place), '[]') INTO named
  FROM (
    SELECT e.user_id, min(e.place) AS place FROM jsonb_array_elements_text(asked->'userIds') WITH ORDINALITY AS e (user_id, place)
    GROUP BY e.user_id) a
  JOIN LATERAL (SELECT 1 FROM members x WHERE x.chat_id = of_chat AND x.user_id = a.user_id OFFSET 0) m ON true;
  is_everyone := coalesce((asked->>'everyone')::boolean, false) AND EXISTS (
    SELECT 1 FROM members x JOIN chats c ON c.id = x.chat_id
    WHERE x.chat_id = of_chat AND x.user_id = by_actor AND (x.role <> 'member' OR c.type = 'direct'));
  RETURN CASE WHEN is_everyone OR named <> '[]' THEN jsonb_build_object('userIds', named, 'everyone', is_everyone) END;
END $$;
--> statement-breakpoint
-- The user ids that stand in `mentions` for what a message names: an empty one for everyone.
CREATE FUNCTION log_mentioned(named jsonb)
RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
  SELECT array(SELECT jsonb_array_elements_text(named->'userIds')) || CASE WHEN (named->>'everyone')::boolean THEN '{""}'::text[] ELSE '{}' END
$$;
--> statement-breakpoint
-- Leaves of a message nothing but its place, in a chat whose row is locked.
CREATE OR REPLACE FUNCTION log_blank_message(of_chat text, of_message uuid, by_actor text)
RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  held messages%ROWTYPE;
BEGIN
  SELECT m.* INTO STRICT held FROM messages m WHERE m.id = of_message;
  DELETE FROM reactions r WHERE r.message_id = of_message;
  IF held.mentions IS NOT NULL THEN
    DELETE FROM mentions x WHERE x.chat_id = of_chat AND x.user_id = ANY (log_mentioned(held.mentions)) AND x.seq = held.seq;
  END IF;
  IF held.pinned_at IS NOT NULL THEN
    DELETE FROM pins p WHERE p.chat_id = of_chat AND p.pinned_at = held.pinned_at AND p.message_id = of_message;
  END IF;
  IF held.attachments IS NOT NULL THEN
    UPDATE uploads u SET dropped_at = clock_timestamp() WHERE u.message_id = of_message AND u.dropped_at IS NULL;
  END IF;
  UPDATE messages SET content = NULL, metadata = NULL, mentions = NULL, attachments = NULL, pinned_at = NULL,
    deleted_at = date_trunc('milliseconds', clock_timestamp()), revision = log_write(of_chat, 'message_deleted', of_message, NULL, by_actor)
  WHERE id = of_message;
END $$;
--> statement-breakpoint
-- What is below is called under the chat's lock by log_change_messages alone, which has looked whether it may be; and so runs with its settings.

-- Edits a message: what stands in `fields` takes the place of what there was. empty | same | ok.
CREATE FUNCTION log_apply_edit(of_message uuid, fields jsonb)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  held messages%ROWTYPE;
  fresh messages%ROWTYPE;
BEGIN
  SELECT m.* INTO STRICT held FROM messages m WHERE m.id = of_message;
  fresh := held;
  IF fields->'content' IS NOT NULL THEN fresh.content := fields->>'content'; END IF;
  IF fields->'metadata' IS NOT NULL THEN fresh.metadata := nullif(fields->'metadata', 'null'); END IF;
  IF fields->'mentions' IS NOT NULL THEN fresh.mentions := log_mentions(held.chat_id, held.sender_id, fields->'mentions'); END IF;
  IF fresh.content IS NULL AND fresh.metadata IS NULL AND fresh.attachments IS NULL THEN RETURN 'empty'; END IF;
  IF fresh IS NOT DISTINCT FROM held THEN RETURN 'same'; END IF;

  IF fresh.mentions IS DISTINCT FROM held.mentions THEN
    DELETE FROM mentions x WHERE x.chat_id = held.chat_id AND x.user_id = ANY (log_mentioned(held.mentions)) AND x.seq = held.seq;
    INSERT INTO mentions (chat_id, seq, user_id, message_id)
    SELECT held.chat_id, held.seq, n.user_id, held.id FROM unnest(log_mentioned(fresh.mentions)) AS n (user_id)
    ON CONFLICT DO NOTHING;
  END IF;
  UPDATE messages SET content = fresh.content, metadata = fresh.metadata, mentions = fresh.mentions,
    edited_at = date_trunc('milliseconds', clock_timestamp()),
    revision = log_write(held.chat_id, 'message_updated', of_message, NULL, held.sender_id)
  WHERE id = of_message;
  RETURN 'ok';
END $$;
--> statement-breakpoint
-- Puts an emoji on a message or takes it off: full | same | ok. Different ones are counted only where there are many reactions.
CREATE FUNCTION log_apply_reaction(of_chat text, of_message uuid, by_actor text, with_emoji text, is_put boolean, most_emoji integer)
RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  IF is_put THEN
    IF EXISTS (SELECT 1 FROM reactions r WHERE r.message_id = of_message AND r.emoji <> with_emoji OFFSET most_emoji - 1)
      AND most_emoji <= (SELECT count(DISTINCT r.emoji) FROM reactions r WHERE r.message_id = of_message AND r.emoji <> with_emoji) THEN
      RETURN 'full';
    END IF;
    INSERT INTO reactions (message_id, emoji, user_id, created_at) VALUES (of_message, with_emoji, by_actor, clock_timestamp())
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM reactions r WHERE r.message_id = of_message AND r.emoji = with_emoji AND r.user_id = by_actor;
  END IF;
  IF NOT FOUND THEN RETURN 'same'; END IF;
  UPDATE messages SET revision = log_write(of_chat, 'message_updated', of_message, NULL, by_actor) WHERE id = of_message;
  RETURN 'ok';
END $$;
--> statement-breakpoint
-- Pins a message or unpins it, which was pinned at a time or was not: many_pins | same | ok. What is pinned later has a later time.
CREATE FUNCTION log_apply_pin(of_chat text, of_message uuid, held_at timestamptz, by_actor text, is_put boolean, most_pins integer)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  now_ms timestamptz;
BEGIN
  IF is_put = (held_at IS NOT NULL) THEN RETURN 'same'; END IF;
  IF is_put THEN
    IF most_pins <= (SELECT count(*) FROM pins p WHERE p.chat_id = of_chat) THEN RETURN 'many_pins'; END IF;
    SELECT greatest(date_trunc('milliseconds', clock_timestamp()), max(p.pinned_at) + interval '1 millisecond') INTO now_ms
    FROM pins p WHERE p.chat_id = of_chat;
    INSERT INTO pins (chat_id, pinned_at, message_id) VALUES (of_chat, now_ms, of_message);
  ELSE
    DELETE FROM pins p WHERE p.chat_id = of_chat AND p.pinned_at = held_at AND p.message_id = of_message;
  END IF;
  UPDATE messages SET pinned_at = now_ms, revision = log_write(of_chat, 'message_updated', of_message, NULL, by_actor) WHERE id = of_message;
  RETURN 'ok';
END $$;
--> statement-breakpoint
-- Changes messages, any number in any chats, each as its actor and in the order of `ord`; `of_chats` names every chat that a change is in. Answers of
-- each [outcome, the message's revision then, until when, from which members it is hidden]: ok | same, or no_message | forbidden | deleted |
-- empty | full | many_pins, or what log_refusal says, and until when. One that is refused changes nothing for its neighbours.
CREATE FUNCTION log_change_messages(of_chats text[], changes json, most_emoji integer, most_pins integer, OUT outcomes json)
LANGUAGE plpgsql
-- What is looked up has one way to be found, whatever the planner knew of the tables when it was first asked: see log_append.
SET enable_seqscan = off
AS $$
DECLARE
  change record;
  held record;
  outcome text;
  hidden_from text[];
  told json[] := '{}';
BEGIN
  PERFORM 1 FROM chats WHERE chats.id = ANY (of_chats) ORDER BY chats.id FOR NO KEY UPDATE;

  FOR change IN
    SELECT * FROM json_to_recordset(changes) AS x (
      ord integer, kind text, message_id uuid, chat_id text, actor_id text, by_service boolean, is_put boolean, emoji text, fields jsonb)
    ORDER BY x.ord
  LOOP
    SELECT m.seq, m.sender_id, m.revision, m.pinned_at, m.deleted_at IS NOT NULL AS is_deleted, b.role, b.muted_until, b.visible_from_seq,
      c.type, c.history_visibility, c.first_seq, c.revision AS head,
      log_refusal(b.role, b.muted_until, c.is_blocked, c.is_frozen, change.by_service, clock_timestamp()) AS refusal
    INTO held
    FROM messages m
    JOIN LATERAL (SELECT * FROM chats x WHERE x.id = m.chat_id OFFSET 0) c ON true
    JOIN LATERAL (SELECT * FROM members x WHERE x.chat_id = m.chat_id AND x.user_id = change.actor_id OFFSET 0) b ON true
    WHERE m.id = change.message_id AND m.chat_id = change.chat_id;
    outcome := CASE
      WHEN held.role IS NULL OR held.seq < held.first_seq
        OR (held.history_visibility = 'joined' AND held.seq < held.visible_from_seq) THEN 'no_message'
      WHEN change.kind = 'edit' AND held.sender_id <> change.actor_id THEN 'forbidden'
      WHEN change.kind = 'delete' AND held.sender_id <> change.actor_id AND held.role = 'member' THEN 'forbidden'
      WHEN change.kind = 'pin' AND held.role = 'member' AND held.type <> 'direct' THEN 'forbidden'
      WHEN change.kind <> 'delete' THEN coalesce(held.refusal, CASE WHEN held.is_deleted THEN 'deleted' END)
      WHEN held.is_deleted THEN 'same' END;
    IF outcome IS NULL THEN
      IF change.kind = 'react' THEN
        outcome := log_apply_reaction(change.chat_id, change.message_id, change.actor_id, change.emoji, change.is_put, most_emoji);
      ELSIF change.kind = 'edit' THEN
        outcome := log_apply_edit(change.message_id, change.fields);
      ELSIF change.kind = 'pin' THEN
        outcome := log_apply_pin(change.chat_id, change.message_id, held.pinned_at, change.actor_id, change.is_put, most_pins);
      ELSE
        PERFORM log_blank_message(change.chat_id, change.message_id, change.actor_id);
        outcome := 'ok';
      END IF;
    END IF;
    hidden_from := NULL;
    IF outcome = 'ok' AND held.history_visibility = 'joined' THEN
      SELECT array_agg(x.user_id) INTO hidden_from FROM members x WHERE x.chat_id = change.chat_id AND x.visible_from_seq > held.seq;
    END IF;
    told := told || json_build_array(outcome, CASE outcome WHEN 'ok' THEN held.head + 1 WHEN 'same' THEN held.revision END,
      CASE WHEN outcome = 'muted' THEN held.muted_until END, hidden_from);
  END LOOP;
  outcomes := array_to_json(told);
END $$;
