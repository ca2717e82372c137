-- The only writers of chats, members, messages and chat_log. Their law: lock first, look second. A chat's row is locked by a
-- statement of its own; membership, duplicates and numbers are read by a later one, whose snapshot is taken after the wait
-- (READ COMMITTED takes it before). Several chats are locked in the order of their ids.

-- Appends messages, any number in any chats; `of_chats` names every chat that a send is for, and each send has its place as `ord`.
-- Answers when that was and, in the sends' order, [outcome, id, seq, revision, sender's name, sender's avatar_url] of each:
-- stored | duplicate | conflict (same key, other body) | no_member | no_reply. One value, for it is read much faster than rows.
CREATE FUNCTION log_append(of_chats text[], sends json, OUT at timestamptz, OUT outcomes json)
LANGUAGE plpgsql
-- The planner takes any sends for a hundred and keeps the plan that a table once deserved, reading whole tables or chats. So what
-- is looked up is a LATERAL with OFFSET 0, which it can only look up one by one; what is updated has no other way than this.
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  now_ms timestamptz;
BEGIN
  PERFORM 1 FROM chats
  WHERE chats.id = ANY (of_chats)
  ORDER BY chats.id FOR NO KEY UPDATE;

  now_ms := date_trunc('milliseconds', clock_timestamp());
  at := now_ms;

  WITH input AS MATERIALIZED (
    SELECT s.*,
      -- what a retry must repeat; edits change the content, and only a send with a key has one
      CASE WHEN s.client_message_id IS NOT NULL THEN
        sha256(convert_to(coalesce(s.reply_to_id::text, '-') || coalesce(s.metadata::text, '-') || s.content, 'UTF8')) END AS body_hash
    FROM json_to_recordset(sends) AS s (
      ord integer, id uuid, chat_id text, sender_id text, client_message_id text, content text, reply_to_id uuid, metadata jsonb)
  ), seen AS MATERIALIZED (
    SELECT i.*,
      m.role IS NOT NULL AS is_member, c.last_seq, c.revision AS head,
      o.id AS old_id, o.body_hash AS old_hash, o.seq AS old_seq, o.revision AS old_revision,
      i.reply_to_id IS NULL OR r.id IS NOT NULL AS reply_known,
      -- of those that carry one key, the first that can be stored stands for them all
      CASE WHEN i.client_message_id IS NULL THEN i.ord
        ELSE min(i.ord) FILTER (WHERE i.reply_to_id IS NULL OR r.id IS NOT NULL)
          OVER (PARTITION BY i.chat_id, i.sender_id, i.client_message_id) END AS first_ord
    FROM input i
    LEFT JOIN LATERAL (
      SELECT x.role, x.visible_from_seq FROM members x WHERE x.chat_id = i.chat_id AND x.user_id = i.sender_id OFFSET 0) m ON true
    LEFT JOIN LATERAL (
      SELECT x.id, x.body_hash, x.seq, x.revision FROM messages x
      WHERE x.sender_id = i.sender_id AND x.chat_id COLLATE "POSIX" = i.chat_id AND x.client_message_id = i.client_message_id OFFSET 0) o ON true
    LEFT JOIN LATERAL (SELECT x.history_visibility, x.last_seq, x.revision FROM chats x WHERE x.id = i.chat_id OFFSET 0) c ON true
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x.chat_id FROM messages x WHERE x.id = i.reply_to_id OFFSET 0) r
      ON r.chat_id = i.chat_id AND (c.history_visibility = 'all' OR r.seq >= m.visible_from_seq)
  ), fresh AS MATERIALIZED (
    SELECT s.*,
      s.last_seq + (row_number() OVER w)::integer AS new_seq,
      s.head + (row_number() OVER w)::integer AS new_revision
    FROM seen s
    WHERE s.is_member AND s.old_id IS NULL AND s.reply_known AND s.first_ord = s.ord
    WINDOW w AS (PARTITION BY s.chat_id ORDER BY s.ord)
  ), stored AS (
    INSERT INTO messages (id, chat_id, seq, revision, sender_id, client_message_id, body_hash, content, reply_to_id, metadata, created_at)
    SELECT f.id, f.chat_id, f.new_seq, f.new_revision, f.sender_id, f.client_message_id, f.body_hash, f.content, f.reply_to_id, f.metadata, now_ms
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
      WHEN coalesce(s.old_hash, f.body_hash) <> s.body_hash THEN 'conflict'
      WHEN s.ord = f.ord THEN 'stored'
      ELSE 'duplicate' END,
    coalesce(s.old_id, f.id), coalesce(s.old_seq, f.new_seq), coalesce(s.old_revision, f.new_revision), u.name, u.avatar_url
  ) ORDER BY s.ord) INTO outcomes
  FROM seen s
  LEFT JOIN fresh f ON f.ord = s.first_ord
  LEFT JOIN LATERAL (SELECT x.name, x.avatar_url FROM users x WHERE x.id = s.sender_id OFFSET 0) u ON true;
END $$;
--> statement-breakpoint
-- Takes the next revision of a chat whose row is locked, and writes its line.
CREATE FUNCTION log_write(of_chat text, of_kind text, of_message uuid, of_user text, by_actor text, with_role text DEFAULT NULL, with_joined_at timestamptz DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  head integer;
BEGIN
  UPDATE chats SET revision = revision + 1 WHERE id = of_chat RETURNING revision INTO STRICT head;
  INSERT INTO chat_log (chat_id, revision, kind, message_id, user_id, actor_id, role, joined_at, at)
  VALUES (of_chat, head, of_kind, of_message, of_user, by_actor, with_role, with_joined_at, date_trunc('milliseconds', clock_timestamp()));
  RETURN head;
END $$;
--> statement-breakpoint
-- Holds users until the transaction ends. Whoever changes which chats they are in does so first, before any chat: a deletion sees the
-- chats that somebody was just added to, and chats are counted one by one. 256 locks stand for all users, so that a large group
-- does not fill the server's table of locks.
CREATE FUNCTION log_hold_users(of_users text[])
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1970496882, hold.stripe)
  FROM (SELECT DISTINCT hashtext(current_schema() || u.id) & 255 AS stripe FROM unnest(of_users) AS u (id) ORDER BY 1 OFFSET 0) hold;
END $$;
--> statement-breakpoint
-- Makes a chat with its founders as revision 1, or finds it: by its id, or by the pair of a direct one (whose missing side is put
-- back). A founder with max_chats chats ends it with SQLSTATE LIMIT.
CREATE FUNCTION log_create_chat(new_id text, of_type text, of_title text, visibility text, pair text, owner text, founders text[], max_chats integer, OUT chat_id text, OUT created boolean, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_ms timestamptz := date_trunc('milliseconds', clock_timestamp());
BEGIN
  PERFORM log_hold_users(founders);
  INSERT INTO chats (id, type, title, direct_key, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
  VALUES (new_id, of_type, of_title, pair, visibility, 0, 1, 0, now_ms, now_ms)
  ON CONFLICT DO NOTHING;
  created := FOUND;
  IF NOT created THEN
    SELECT c.id INTO STRICT chat_id FROM chats c WHERE c.id = new_id OR c.direct_key = pair ORDER BY c.direct_key = pair DESC NULLS LAST LIMIT 1;
    PERFORM 1 FROM chats c WHERE c.id = chat_id FOR NO KEY UPDATE;
    added := '{}';
    IF pair IS NOT NULL THEN
      SELECT a.added INTO added FROM log_join(chat_id, owner, founders, max_chats) a;
    END IF;
    RETURN;
  END IF;

  chat_id := new_id;
  WITH joined AS (
    INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
    SELECT new_id, u.id, CASE WHEN of_type = 'group' AND u.id = owner THEN 'owner' ELSE 'member' END, now_ms, 1, 0, 1
    FROM users u LEFT JOIN user_states s ON s.user_id = u.id
    WHERE u.id = ANY (founders) AND s.deleted_at IS NULL
    RETURNING user_id
  )
  SELECT array_agg(j.user_id) INTO added FROM joined j;
  UPDATE chats c SET member_count = coalesce(cardinality(added), 0) WHERE c.id = new_id;
  INSERT INTO chat_log (chat_id, revision, kind, actor_id, at) VALUES (new_id, 1, 'chat_created', owner, now_ms);
  PERFORM log_check_limit(added, max_chats);
END $$;
--> statement-breakpoint
-- Ends the statement with SQLSTATE LIMIT when one of the users, who are held, is in more chats than allowed.
CREATE FUNCTION log_check_limit(of_users text[], max_chats integer)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM unnest(of_users) AS u (id)
    WHERE (SELECT count(*) FROM members m WHERE m.user_id = u.id) > max_chats
  ) THEN
    RAISE EXCEPTION 'a user would be in too many chats' USING ERRCODE = 'LIMIT';
  END IF;
END $$;
--> statement-breakpoint
-- Adds to a chat whose row is locked those users who exist and are not in it, a revision each.
CREATE FUNCTION log_join(of_chat text, by_actor text, joiners text[], max_chats integer, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_ms timestamptz := date_trunc('milliseconds', clock_timestamp());
  head integer;
  last integer;
BEGIN
  SELECT c.revision, c.last_seq INTO STRICT head, last FROM chats c WHERE c.id = of_chat;
  WITH fresh AS (
    SELECT u.id, head + (row_number() OVER (ORDER BY array_position(joiners, u.id)))::integer AS revision
    FROM users u
    LEFT JOIN user_states s ON s.user_id = u.id
    LEFT JOIN members m ON m.chat_id = of_chat AND m.user_id = u.id
    WHERE u.id = ANY (joiners) AND s.deleted_at IS NULL AND m.user_id IS NULL
  ), joined AS (
    INSERT INTO members (chat_id, user_id, role, joined_at, joined_revision, last_read_seq, visible_from_seq)
    SELECT of_chat, f.id, 'member', now_ms, f.revision, last, last + 1 FROM fresh f
  ), logged AS (
    INSERT INTO chat_log (chat_id, revision, kind, user_id, actor_id, role, joined_at, at)
    SELECT of_chat, f.revision, 'member_added', f.id, by_actor, 'member', now_ms, now_ms FROM fresh f
  )
  SELECT coalesce(array_agg(f.id), '{}') INTO added FROM fresh f;
  UPDATE chats c SET revision = head + cardinality(added), member_count = c.member_count + cardinality(added)
  WHERE c.id = of_chat AND cardinality(added) > 0;
  PERFORM log_check_limit(added, max_chats);
END $$;
--> statement-breakpoint
-- What stands against an actor's change of a chat's members or title, under its lock: no_chat | forbidden | direct | ok.
-- A null actor is a service.
CREATE FUNCTION log_may_change(of_chat text, by_actor text, roles text[])
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  chat_type text;
  actor_role text;
BEGIN
  SELECT type INTO chat_type FROM chats WHERE id = of_chat FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'no_chat'; END IF;
  IF by_actor IS NOT NULL THEN
    SELECT role INTO actor_role FROM members WHERE chat_id = of_chat AND user_id = by_actor;
    IF NOT FOUND THEN RETURN 'no_chat'; END IF;
    IF chat_type = 'group' AND NOT actor_role = ANY (roles) THEN RETURN 'forbidden'; END IF;
  END IF;
  RETURN CASE chat_type WHEN 'direct' THEN 'direct' ELSE 'ok' END;
END $$;
--> statement-breakpoint
-- Adds members; outcome as log_may_change says.
CREATE FUNCTION log_add_members(of_chat text, by_actor text, joiners text[], max_chats integer, OUT outcome text, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  added := '{}';
  PERFORM log_hold_users(joiners);
  outcome := log_may_change(of_chat, by_actor, '{owner,admin}');
  IF outcome = 'ok' THEN
    SELECT a.added INTO added FROM log_join(of_chat, by_actor, joiners, max_chats) a;
  END IF;
END $$;
--> statement-breakpoint
-- Takes a member out (or lets one leave). An admin cannot take out an owner; when the last owner goes, the oldest admin, else the
-- oldest member, becomes owner. Who is no member: nothing changes.
CREATE FUNCTION log_remove_member(of_chat text, by_actor text, of_user text, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  gone members%ROWTYPE;
BEGIN
  outcome := log_may_change(of_chat, by_actor, CASE WHEN by_actor = of_user THEN '{owner,admin,member}' ELSE '{owner,admin}' END::text[]);
  IF outcome <> 'ok' THEN RETURN; END IF;

  SELECT * INTO gone FROM members WHERE chat_id = of_chat AND user_id = of_user;
  IF NOT FOUND THEN RETURN; END IF;
  IF gone.role = 'owner' AND by_actor <> of_user
    AND NOT EXISTS (SELECT 1 FROM members WHERE chat_id = of_chat AND user_id = by_actor AND role = 'owner') THEN
    outcome := 'forbidden';
    RETURN;
  END IF;
  PERFORM log_leave(of_chat, by_actor, of_user);
END $$;
--> statement-breakpoint
-- Ends a membership in a chat whose row is locked, and finds a new owner where the last one went.
CREATE FUNCTION log_leave(of_chat text, by_actor text, of_user text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  gone members%ROWTYPE;
  heir members%ROWTYPE;
BEGIN
  DELETE FROM members WHERE chat_id = of_chat AND user_id = of_user RETURNING * INTO gone;
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE chats SET member_count = member_count - 1 WHERE id = of_chat;
  PERFORM log_write(of_chat, 'member_removed', NULL, of_user, by_actor, gone.role, gone.joined_at);

  IF gone.role = 'owner' AND NOT EXISTS (SELECT 1 FROM members WHERE chat_id = of_chat AND role = 'owner') THEN
    SELECT * INTO heir FROM members WHERE chat_id = of_chat
    ORDER BY role <> 'admin', joined_revision, user_id LIMIT 1;
    IF FOUND THEN
      UPDATE members SET role = 'owner' WHERE chat_id = of_chat AND user_id = heir.user_id;
      PERFORM log_write(of_chat, 'member_role', NULL, heir.user_id, by_actor, 'owner', heir.joined_at);
    END IF;
  END IF;
END $$;
--> statement-breakpoint
-- Makes a tombstone of a user: memberships ended, profile blanked (where users is no host's view), no token good. Answers the
-- chats that changed.
CREATE FUNCTION log_delete_user(of_user text)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  of_chat text;
BEGIN
  PERFORM log_hold_users(ARRAY[of_user]);
  INSERT INTO user_states (user_id, deleted_at, tokens_valid_from) VALUES (of_user, now(), now())
  ON CONFLICT (user_id) DO UPDATE SET deleted_at = coalesce(user_states.deleted_at, now()), tokens_valid_from = now();
  IF (SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = 'users'::regclass) THEN
    UPDATE users SET name = '', avatar_url = NULL WHERE id = of_user;
  END IF;
  FOR of_chat IN SELECT chat_id FROM members WHERE user_id = of_user ORDER BY chat_id LOOP
    PERFORM 1 FROM chats WHERE id = of_chat FOR NO KEY UPDATE;
    PERFORM log_leave(of_chat, NULL, of_user);
    RETURN NEXT of_chat;
  END LOOP;
END $$;
--> statement-breakpoint
-- Deletes what a user wrote, up to most messages of one chat after another, a revision each. Answers the chats that changed;
-- none when nothing is left.
CREATE FUNCTION log_erase_messages(of_user text, most integer)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  of_chat text;
  erased uuid;
BEGIN
  SELECT chat_id INTO of_chat FROM messages WHERE sender_id = of_user AND deleted_at IS NULL LIMIT 1;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM 1 FROM chats WHERE id = of_chat FOR NO KEY UPDATE;
  FOR erased IN SELECT id FROM messages WHERE sender_id = of_user AND chat_id = of_chat AND deleted_at IS NULL ORDER BY seq LIMIT most LOOP
    PERFORM log_blank_message(of_chat, erased, NULL);
  END LOOP;
  RETURN NEXT of_chat;
END $$;
