-- Uploads: whose they are, who may begin one, and which are to go. Nothing of them is in a chat's log: that is the message that carries them.

-- Begins an upload for a member who may write, as a send would find it: ok | no_member | muted | blocked | frozen, or many_uploads when they have
-- `most` that no message carries. A lock of the user's own keeps that count; the chat is not locked, for the send looks again.
CREATE FUNCTION upload_create(of_chat text, of_user text, by_service boolean, upload json, of_hash bytea, most integer,
  OUT outcome text, OUT until timestamptz, OUT at timestamptz)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  held record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('upload ' || of_user, 0));
  at := date_trunc('milliseconds', clock_timestamp());
  SELECT m.muted_until, log_refusal(m.role, m.muted_until, c.is_blocked, c.is_frozen, by_service, at) AS refusal INTO held
  FROM members m JOIN chats c ON c.id = m.chat_id
  WHERE m.chat_id = of_chat AND m.user_id = of_user AND c.deleted_at IS NULL;
  IF NOT FOUND THEN
    outcome := 'no_member';
  ELSIF held.refusal IS NOT NULL THEN
    outcome := held.refusal;
    until := held.muted_until;
  ELSIF (SELECT count(*) FROM (
    SELECT 1 FROM uploads u WHERE u.user_id = of_user AND u.message_id IS NULL AND u.dropped_at IS NULL LIMIT most) x) >= most THEN
    outcome := 'many_uploads';
  ELSE
    INSERT INTO uploads (id, chat_id, user_id, name, mime_type, size, width, height, duration_ms, created_at, token_hash)
    SELECT u.id, of_chat, of_user, u.name, u."mimeType", u.size, u.width, u.height, u."durationMs", at, of_hash
    FROM json_to_record(upload) AS u (id uuid, name text, "mimeType" text, size bigint, width integer, height integer, "durationMs" integer);
    outcome := 'ok';
  END IF;
END $$;
--> statement-breakpoint
-- An upload whose bytes somebody may have: of a message, who may see it (null stands for services, which see all); of none yet, who sent it, while
-- they are in its chat.
CREATE FUNCTION upload_visible(of_id uuid, of_user text)
RETURNS SETOF uploads
LANGUAGE sql STABLE AS $$
  SELECT u.* FROM uploads u
  JOIN LATERAL (SELECT * FROM chats x WHERE x.id = u.chat_id AND x.deleted_at IS NULL OFFSET 0) c ON true
  LEFT JOIN LATERAL (SELECT * FROM members x WHERE x.chat_id = u.chat_id AND x.user_id = of_user OFFSET 0) b ON true
  LEFT JOIN LATERAL (SELECT * FROM messages x WHERE x.id = u.message_id OFFSET 0) m ON true
  WHERE u.id = of_id AND u.dropped_at IS NULL AND (of_user IS NULL OR b.user_id IS NOT NULL) AND CASE
    WHEN u.message_id IS NULL THEN u.user_id = of_user
    ELSE m.deleted_at IS NULL AND m.seq >= c.first_seq AND (of_user IS NULL OR c.history_visibility = 'all' OR m.seq >= b.visible_from_seq) END
$$;
--> statement-breakpoint
-- Gives up what no message took in time, and answers what is to go, some at a time. Who takes an upload for a message updates its row, and finds it
-- given up or is found here.
CREATE FUNCTION upload_give_up(open_for interval, most integer)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
  UPDATE uploads u SET dropped_at = clock_timestamp()
  WHERE u.message_id IS NULL AND u.dropped_at IS NULL AND u.id IN (
    SELECT x.id FROM uploads x WHERE x.message_id IS NULL AND x.dropped_at IS NULL AND x.created_at < clock_timestamp() - open_for
    ORDER BY x.created_at LIMIT most FOR UPDATE SKIP LOCKED);
  RETURN QUERY SELECT u.id FROM uploads u WHERE u.dropped_at IS NOT NULL ORDER BY u.dropped_at LIMIT most;
END $$;
