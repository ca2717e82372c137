-- What ends in a chat. A move is one short transaction under the chat's lock: first_seq past messages, log_from past lines, deleted_at. What lies
-- below is seen by nobody from then on, and its rows go afterwards in small steps that lock no chat. `purges` says where, so that a step that a crash
-- cut off is made by the next node that looks.

-- Notes that rows of a chat, whose row is locked, are to go.
CREATE FUNCTION log_note_purge(of_chat text)
RETURNS void
LANGUAGE sql AS $$
  INSERT INTO purges (chat_id, at) VALUES (of_chat, clock_timestamp()) ON CONFLICT DO NOTHING
$$;
--> statement-breakpoint
-- Has the messages of a chat expire up to a seq, as one revision: same | ok.
CREATE FUNCTION log_expire_through(of_chat text, last integer, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  moved record;
BEGIN
  PERFORM 1 FROM chats c WHERE c.id = of_chat FOR NO KEY UPDATE;
  UPDATE chats c SET first_seq = least(last, c.last_seq) + 1, revision = c.revision + 1
  WHERE c.id = of_chat AND c.deleted_at IS NULL AND c.first_seq <= least(last, c.last_seq)
  RETURNING c.revision, c.first_seq INTO moved;
  outcome := 'same';
  IF NOT FOUND THEN RETURN; END IF;
  INSERT INTO chat_log (chat_id, revision, kind, through_seq, at)
  VALUES (of_chat, moved.revision, 'messages_expired', moved.first_seq - 1, date_trunc('milliseconds', clock_timestamp()));
  PERFORM log_note_purge(of_chat);
  outcome := 'ok';
END $$;
--> statement-breakpoint
-- Has the messages of a chat expire that were stored before a time: same | ok. Where they end is found by halving, before the lock: neither their
-- order nor their times ever change.
CREATE FUNCTION log_expire(of_chat text, before timestamptz, OUT outcome text)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  low integer;
  high integer;
  middle integer;
BEGIN
  SELECT c.first_seq - 1, c.last_seq + 1 INTO low, high FROM chats c WHERE c.id = of_chat;
  WHILE high - low > 1 LOOP
    middle := low + (high - low) / 2;
    IF (SELECT m.created_at < before FROM messages m WHERE m.chat_id = of_chat AND m.seq = middle) THEN
      low := middle;
    ELSE
      high := middle;
    END IF;
  END LOOP;
  outcome := log_expire_through(of_chat, low);
END $$;
--> statement-breakpoint
-- Has the lines of a chat's log go that were written before a time, but for the newest `keep` ones. That is no change of the chat, and no revision.
CREATE FUNCTION log_trim(of_chat text, before timestamptz, keep integer)
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
    IF (SELECT l.at < before FROM chat_log l WHERE l.chat_id = of_chat AND l.revision = middle) THEN
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
-- The next `most` chats by id, each with whether its first message, and its first line, is older than a time; one look at an index each. A null time
-- finds nothing.
CREATE FUNCTION log_find_old(above text, most integer, messages_before timestamptz, lines_before timestamptz, keep integer)
RETURNS TABLE (chat_id text, has_old_messages boolean, has_old_lines boolean)
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT c.id,
    coalesce((SELECT m.created_at < messages_before FROM messages m WHERE m.chat_id = c.id AND m.seq = c.first_seq), false),
    c.log_from <= c.revision - keep
      AND coalesce((SELECT l.at < lines_before FROM chat_log l WHERE l.chat_id = c.id AND l.revision = c.log_from), false)
  FROM (SELECT * FROM chats x WHERE x.id > above ORDER BY x.id LIMIT most) c
  ORDER BY c.id
$$;
--> statement-breakpoint
-- Takes the rows of at most `most` messages that have expired, above a seq, with all that hangs on them; answers the last of them, null when there
-- is none. No chat is locked: nothing can be written to what has expired. If a crash of the server undoes it, it is done again.
CREATE FUNCTION log_purge_messages(of_chat text, above integer, most integer)
RETURNS integer
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  first integer;
  ids uuid[];
  reached integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT c.first_seq INTO first FROM chats c WHERE c.id = of_chat;
  SELECT array_agg(x.id), max(x.seq) INTO ids, reached FROM (
    SELECT m.id, m.seq FROM messages m WHERE m.chat_id = of_chat AND m.seq > above AND m.seq < first ORDER BY m.seq LIMIT most) x;
  IF reached IS NULL THEN RETURN NULL; END IF;
  PERFORM log_drop_of_messages(of_chat, ids);
  DELETE FROM reports r WHERE r.message_id = ANY (ids);
  DELETE FROM messages m WHERE m.id = ANY (ids);
  RETURN reached;
END $$;
--> statement-breakpoint
-- Takes what hangs on some messages of a chat: reactions, mentions, pins and files.
CREATE FUNCTION log_drop_of_messages(of_chat text, ids uuid[])
RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
  DELETE FROM reactions r WHERE r.message_id = ANY (ids);
  DELETE FROM mentions x USING (
    SELECT m.seq, named.user_id FROM messages m
    CROSS JOIN LATERAL (SELECT jsonb_array_elements_text(m.mentions->'userIds') AS user_id UNION ALL SELECT '') named
    WHERE m.id = ANY (ids) AND m.mentions IS NOT NULL) n
  WHERE x.chat_id = of_chat AND x.user_id = n.user_id AND x.seq = n.seq;
  DELETE FROM pins p USING messages m
  WHERE m.id = ANY (ids) AND m.pinned_at IS NOT NULL AND p.chat_id = of_chat AND p.pinned_at = m.pinned_at AND p.message_id = m.id;
  UPDATE uploads u SET dropped_at = clock_timestamp() WHERE u.message_id = ANY (ids) AND u.dropped_at IS NULL;
END $$;
--> statement-breakpoint
-- Takes at most `most` lines of a chat's log that lie below what is kept, above a revision; answers the last of them, null when there is none.
CREATE FUNCTION log_purge_lines(of_chat text, above integer, most integer)
RETURNS integer
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  kept_from integer;
  reached integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT c.log_from INTO kept_from FROM chats c WHERE c.id = of_chat;
  SELECT max(x.revision) INTO reached FROM (
    SELECT l.revision FROM chat_log l WHERE l.chat_id = of_chat AND l.revision > above AND l.revision < kept_from
    ORDER BY l.revision LIMIT most) x;
  DELETE FROM chat_log l WHERE l.chat_id = of_chat AND l.revision > above AND l.revision <= reached;
  RETURN reached;
END $$;
--> statement-breakpoint
-- Ends the purge of a chat whose rows are gone: done, or later where they are not. Nodes read from a deleted chat's log who is out: of that all but the
-- last line goes a minute after.
CREATE FUNCTION log_end_purge(of_chat text)
RETURNS text
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  held chats%ROWTYPE;
BEGIN
  SELECT * INTO held FROM chats c WHERE c.id = of_chat FOR NO KEY UPDATE;
  IF held.deleted_at IS NOT NULL THEN
    DELETE FROM bans b WHERE b.chat_id = of_chat;
    UPDATE uploads u SET dropped_at = clock_timestamp() WHERE u.chat_id = of_chat AND u.dropped_at IS NULL;
    IF held.log_from < held.revision THEN
      UPDATE chats c SET log_from = c.revision WHERE c.id = of_chat AND c.deleted_at < clock_timestamp() - interval '1 minute';
      RETURN 'later';
    END IF;
  END IF;
  IF EXISTS (SELECT 1 FROM messages m WHERE m.chat_id = of_chat AND m.seq < held.first_seq)
    OR EXISTS (SELECT 1 FROM chat_log l WHERE l.chat_id = of_chat AND l.revision < held.log_from) THEN
    RETURN 'later';
  END IF;
  DELETE FROM purges p WHERE p.chat_id = of_chat;
  RETURN 'done';
END $$;
--> statement-breakpoint
-- Deletes a chat: no_chat | same | ok, and what was written. Everybody is out by its first revision, which is told to each; one more for each member
-- says so to whoever reads the log. Its row stays, so that its id is taken; the pair of a direct chat may make another.
CREATE FUNCTION log_delete_chat(of_chat text, OUT outcome text, OUT after integer, OUT through integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held chats%ROWTYPE;
  now_ms timestamptz;
  gone integer;
BEGIN
  SELECT * INTO held FROM chats c WHERE c.id = of_chat FOR UPDATE;
  outcome := CASE WHEN NOT FOUND THEN 'no_chat' WHEN held.deleted_at IS NOT NULL THEN 'same' ELSE 'ok' END;
  after := held.revision;
  through := held.revision;
  IF outcome <> 'ok' THEN RETURN; END IF;
  now_ms := date_trunc('milliseconds', clock_timestamp());
  INSERT INTO chat_log (chat_id, revision, kind, at) VALUES (of_chat, held.revision + 1, 'chat_deleted', now_ms);
  WITH left_it AS (
    DELETE FROM members m WHERE m.chat_id = of_chat
    RETURNING m.user_id, m.role, m.joined_at, m.joined_revision
  ), logged AS (
    INSERT INTO chat_log (chat_id, revision, kind, user_id, role, joined_at, at)
    SELECT of_chat, held.revision + 1 + (row_number() OVER (ORDER BY g.joined_revision, g.user_id))::integer, 'member_removed',
      g.user_id, g.role, g.joined_at, now_ms
    FROM left_it g
  ), forgotten AS (
    DELETE FROM chat_settings s USING left_it g WHERE s.user_id = g.user_id AND s.chat_id = of_chat
  )
  SELECT count(*)::integer INTO gone FROM left_it;
  through := held.revision + 1 + gone;
  UPDATE chats c SET revision = held.revision + 1 + gone, member_count = 0, title = NULL, metadata = NULL, direct_key = NULL,
    first_seq = c.last_seq + 1, deleted_at = now_ms
  WHERE c.id = of_chat;
  PERFORM log_note_purge(of_chat);
END $$;
--> statement-breakpoint
-- Nobody comes into a chat that is deleted: whoever found it a moment ago looks again.
CREATE FUNCTION log_refuse_joining()
RETURNS trigger
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM (SELECT DISTINCT f.chat_id FROM fresh f) n
    CROSS JOIN LATERAL (SELECT x.deleted_at FROM chats x WHERE x.id = n.chat_id OFFSET 0) c WHERE c.deleted_at IS NOT NULL) THEN
    RAISE EXCEPTION 'the chat is deleted' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER members_of_living AFTER INSERT ON members REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION log_refuse_joining();
--> statement-breakpoint
-- What stands against an actor's change of a chat's members or title, under its lock: no_chat | forbidden | direct | ok.
-- A null actor is a service.
CREATE OR REPLACE FUNCTION log_may_change(of_chat text, by_actor text, roles text[])
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  chat_type text;
  actor_role text;
BEGIN
  SELECT type INTO chat_type FROM chats WHERE id = of_chat AND deleted_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'no_chat'; END IF;
  IF by_actor IS NOT NULL THEN
    SELECT role INTO actor_role FROM members WHERE chat_id = of_chat AND user_id = by_actor;
    IF NOT FOUND THEN RETURN 'no_chat'; END IF;
    IF chat_type = 'group' AND NOT actor_role = ANY (roles) THEN RETURN 'forbidden'; END IF;
  END IF;
  RETURN CASE chat_type WHEN 'direct' THEN 'direct' ELSE 'ok' END;
END $$;
--> statement-breakpoint
-- Locks the chat of a message, then looks: one row when the actor is a member who may see it, and it has not expired, else none.
CREATE OR REPLACE FUNCTION log_hold_message(of_message uuid, by_actor text)
RETURNS TABLE (chat_id text, role text, sender_id text, content text, is_deleted boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  -- The chat of a message never changes, so it may be read before the lock.
  PERFORM 1 FROM chats c WHERE c.id = (SELECT m.chat_id FROM messages m WHERE m.id = of_message) FOR NO KEY UPDATE;
  RETURN QUERY
  SELECT m.chat_id, b.role, m.sender_id, m.content, m.deleted_at IS NOT NULL
  FROM messages m
  JOIN chats c ON c.id = m.chat_id
  JOIN members b ON b.chat_id = m.chat_id AND b.user_id = by_actor
  WHERE m.id = of_message AND m.seq >= c.first_seq AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq);
END $$;
--> statement-breakpoint
-- Keeps a member's report of a message that they may see, with what it says: no_message | deleted | same | ok.
CREATE OR REPLACE FUNCTION log_report_message(new_id uuid, of_message uuid, by_reporter text, with_reason text, with_comment text, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  seen record;
BEGIN
  -- So that it does not expire meanwhile, and the report goes with it.
  PERFORM 1 FROM chats c WHERE c.id = (SELECT m.chat_id FROM messages m WHERE m.id = of_message) FOR SHARE;
  SELECT m.chat_id, m.content, m.deleted_at IS NOT NULL AS is_deleted INTO seen
  FROM messages m
  JOIN chats c ON c.id = m.chat_id
  JOIN members b ON b.chat_id = m.chat_id AND b.user_id = by_reporter
  WHERE m.id = of_message AND m.seq >= c.first_seq AND (m.seq >= b.visible_from_seq OR c.history_visibility = 'all');
  outcome := CASE
    WHEN seen.chat_id IS NULL THEN 'no_message'
    WHEN EXISTS (SELECT 1 FROM reports r WHERE r.message_id = of_message AND r.reporter_id = by_reporter) THEN 'same'
    WHEN seen.is_deleted THEN 'deleted'
    ELSE 'ok' END;
  IF outcome = 'ok' THEN
    INSERT INTO reports (id, message_id, chat_id, reporter_id, reason, comment, content, at)
    VALUES (new_id, of_message, seen.chat_id, by_reporter, with_reason, with_comment, seen.content, clock_timestamp())
    ON CONFLICT DO NOTHING;
  END IF;
END $$;
--> statement-breakpoint
-- Deletes those messages of a user that have some seqs in a chat, a revision each, as log_blank_message would one by one; answers how many.
CREATE FUNCTION log_erase_batch(of_user text, of_chat text, seqs integer[])
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
  UPDATE erasures e SET erased = e.erased + cardinality(ids), chat_id = of_chat WHERE e.user_id = of_user;
  RETURN cardinality(ids);
END $$;
--> statement-breakpoint
-- The messages of a user in a chat above a seq, as their seqs in order, at most `most`: found by who wrote them, not by the chat, however large that is.
CREATE FUNCTION log_seqs_of(of_user text, of_chat text, above integer, most integer)
RETURNS integer[]
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT array(
    SELECT m.seq FROM messages m JOIN LATERAL (SELECT x.first_seq FROM chats x WHERE x.id = of_chat OFFSET 0) c ON m.seq >= c.first_seq
    WHERE m.sender_id = of_user AND m.chat_id COLLATE "POSIX" = of_chat AND m.seq > above AND m.deleted_at IS NULL
    ORDER BY m.seq LIMIT most)
$$;
--> statement-breakpoint
-- The next chat by id in which a user has written; null when there is none.
CREATE FUNCTION log_next_chat_of(of_user text, above text)
RETURNS text
LANGUAGE sql STABLE
SET enable_seqscan = off
AS $$
  SELECT m.chat_id FROM messages m WHERE m.sender_id = of_user AND m.chat_id COLLATE "POSIX" > above
  ORDER BY m.chat_id COLLATE "POSIX" LIMIT 1
$$;
