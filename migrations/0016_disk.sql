-- Less on disk for a message: a key is kept as a hash in its index, and what a retry must repeat only where the row does not say it.

-- By this index alone a sender's key is one message, and what somebody wrote is found: by 16 bytes of hashes, however long the ids are. The key's says all
-- three, so that one key in two chats of one hash is two. A message without a key is in it, too, as one of any number. On a table that is large it is made
-- beside the running service (services/log/keys.ts), and `messages_once` goes last.
DO $$ BEGIN
  IF pg_relation_size('messages') < 16 * 1024 * 1024 THEN
    CREATE UNIQUE INDEX messages_key ON messages (hashtext(sender_id), hashtext(chat_id), hashtextextended(client_message_id, hashtextextended(chat_id, hashtextextended(sender_id, 0))));
    DROP INDEX messages_once;
  END IF;
END $$;
--> statement-breakpoint
-- The message that a sender's key has made in a chat: found by the hashes, or by `messages_once` while that is there, and told by the three themselves.
CREATE FUNCTION log_find_sent(of_chat text, of_sender text, key text)
RETURNS SETOF messages
LANGUAGE sql STABLE AS $$
  SELECT x.* FROM messages x
  WHERE hashtext(x.sender_id) = hashtext(of_sender) AND hashtext(x.chat_id) = hashtext(of_chat)
    AND hashtextextended(x.client_message_id, hashtextextended(x.chat_id, hashtextextended(x.sender_id, 0)))
      = hashtextextended(key, hashtextextended(of_chat, hashtextextended(of_sender, 0)))
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
    INSERT INTO chat_log (chat_id, revision, kind, message_id, actor_id)
    SELECT f.chat_id, f.new_revision, 'message_created', f.id, f.sender_id FROM fresh f
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
-- The messages of a user in a chat above a seq, as their seqs in order, at most `most`: found by who wrote them, not by the chat, however large that is.
CREATE OR REPLACE FUNCTION log_seqs_of(of_user text, of_chat text, above integer, most integer)
RETURNS integer[]
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT array(
    SELECT m.seq FROM messages m JOIN LATERAL (SELECT x.first_seq FROM chats x WHERE x.id = of_chat OFFSET 0) c ON m.seq >= c.first_seq
    WHERE hashtext(m.sender_id) = hashtext(of_user) AND hashtext(m.chat_id) = hashtext(of_chat)
      AND m.sender_id = of_user AND m.chat_id COLLATE "POSIX" = of_chat AND m.seq > above AND m.deleted_at IS NULL
    ORDER BY m.seq LIMIT most)
$$;
--> statement-breakpoint
-- The next place at or after one where there is what a user wrote, and the chats whose hash it is, mostly one. By places, for only those are in order in
-- `messages_key`; while `messages_once` is there, by the function of the version before, which is for that version from then on.
CREATE FUNCTION log_next_wrote(of_user text, from_place bigint, OUT place bigint, OUT chat_ids text[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
DECLARE
  one text := '';
BEGIN
  IF EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = to_regclass('messages_once') AND i.indisvalid) THEN
    LOOP
      one := log_next_chat_of(of_user, one);
      EXIT WHEN one IS NULL;
      IF hashtext(one) = place THEN
        chat_ids := chat_ids || one;
      ELSIF hashtext(one) >= from_place AND coalesce(hashtext(one) < place, true) THEN
        place := hashtext(one);
        chat_ids := ARRAY[one];
      END IF;
    END LOOP;
    RETURN;
  END IF;
  SELECT hashtext(m.chat_id) INTO place FROM messages m
  WHERE hashtext(m.sender_id) = hashtext(of_user) AND m.sender_id = of_user AND hashtext(m.chat_id) >= from_place
  ORDER BY hashtext(m.chat_id) LIMIT 1;
  SELECT array_agg(DISTINCT m.chat_id) INTO chat_ids FROM messages m
  WHERE hashtext(m.sender_id) = hashtext(of_user) AND m.sender_id = of_user AND hashtext(m.chat_id) = place;
END $$;
--> statement-breakpoint
-- As before, but that it notes no chat: who goes on with it begins at the first, and finds what is not deleted yet.
CREATE OR REPLACE FUNCTION log_erase_batch(of_user text, of_chat text, seqs integer[])
RETURNS integer
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  now_ms timestamptz;
  ids uuid[];
  head integer;
BEGIN
  SELECT c.revision INTO head FROM chats c WHERE c.id = of_chat FOR NO KEY UPDATE;
  now_ms := date_trunc('milliseconds', clock_timestamp());
  SELECT coalesce(array_agg(m.id ORDER BY m.seq), '{}') INTO ids
  FROM unnest(seqs) AS a (seq)
  CROSS JOIN LATERAL (SELECT * FROM messages x WHERE x.chat_id = of_chat AND x.seq = a.seq OFFSET 0) m
  JOIN chats c ON c.id = of_chat AND m.seq >= c.first_seq
  WHERE m.sender_id = of_user AND m.deleted_at IS NULL;
  IF cardinality(ids) > 0 THEN
    PERFORM log_drop_of_messages(of_chat, ids);
    UPDATE messages m SET content = NULL, metadata = NULL, mentions = NULL, attachments = NULL, pinned_at = NULL, deleted_at = now_ms,
      revision = head + e.place::integer
    FROM unnest(ids) WITH ORDINALITY AS e (id, place) WHERE m.id = e.id;
    INSERT INTO chat_log (chat_id, revision, kind, message_id, at)
    SELECT of_chat, head + e.place::integer, 'message_deleted', e.id, now_ms FROM unnest(ids) WITH ORDINALITY AS e (id, place);
    UPDATE chats c SET revision = head + cardinality(ids) WHERE c.id = of_chat;
  END IF;
  UPDATE erasures e SET erased = e.erased + cardinality(ids) WHERE e.user_id = of_user;
  RETURN cardinality(ids);
END $$;
--> statement-breakpoint
-- A new message's line has the time of its message, if that is still there, and none of its own.
ALTER TABLE chat_log ALTER COLUMN at DROP NOT NULL;
--> statement-breakpoint
-- When a line was written; of a message that has expired: before any time.
CREATE FUNCTION log_written_at(of_line chat_log)
RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT coalesce(of_line.at, (SELECT m.created_at FROM messages m WHERE m.id = of_line.message_id), '-infinity')
$$;
--> statement-breakpoint
-- As before, but for when a line was written.
CREATE OR REPLACE FUNCTION log_trim(of_chat text, before timestamptz, keep integer)
RETURNS boolean
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  low integer;
  high integer;
  middle integer;
BEGIN
  SELECT c.log_from - 1, c.revision - keep + 1 INTO low, high FROM chats c WHERE c.id = of_chat;
  WHILE high - low > 1 LOOP
    middle := low + (high - low) / 2;
    IF (SELECT log_written_at(l) < before FROM chat_log l WHERE l.chat_id = of_chat AND l.revision = middle) THEN
      low := middle;
    ELSE
      high := middle;
    END IF;
  END LOOP;
  PERFORM 1 FROM chats c WHERE c.id = of_chat FOR NO KEY UPDATE;
  UPDATE chats c SET log_from = low + 1 WHERE c.id = of_chat AND c.log_from <= low;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM log_note_purge(of_chat);
  RETURN true;
END $$;
--> statement-breakpoint
-- As before, but for when a line was written.
CREATE OR REPLACE FUNCTION log_find_old(above text, most integer, messages_before timestamptz, lines_before timestamptz, keep integer)
RETURNS TABLE (chat_id text, has_old_messages boolean, has_old_lines boolean)
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT c.id,
    coalesce((SELECT m.created_at < messages_before FROM messages m WHERE m.chat_id = c.id AND m.seq = c.first_seq), false),
    c.log_from <= c.revision - keep
      AND coalesce((SELECT log_written_at(l) < lines_before FROM chat_log l WHERE l.chat_id = c.id AND l.revision = c.log_from), false)
  FROM (SELECT * FROM chats x WHERE x.id > above ORDER BY x.id LIMIT most) c
  ORDER BY c.id
$$;
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
