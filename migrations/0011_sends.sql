-- Sends that name people and carry files, and who was named; the law is that of 0001: lock first, look second.

-- Locks chats in the order of their ids; says whether one of them has a rule that may hold a send up.
CREATE FUNCTION log_hold_chats(of_chats text[])
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  has_rules boolean;
BEGIN
  SELECT bool_or(held.has_rules) INTO has_rules FROM (
    SELECT chats.slow_mode_seconds > 0 OR chats.is_frozen OR chats.is_blocked OR chats.has_mutes AS has_rules FROM chats
    WHERE chats.id = ANY (of_chats)
    ORDER BY chats.id FOR NO KEY UPDATE) held;
  RETURN has_rules;
END $$;
--> statement-breakpoint
-- What log_append does when it has its locks and the time; for functions that have set enable_seqscan as it does, and no others. `more` of a
-- send is what log_append_more has found of it.
CREATE FUNCTION log_append_held(sends json, now_ms timestamptz, has_rules boolean, OUT outcomes json)
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
      -- what a retry must repeat; edits change the content, a hook may have put something else in its place, and only a send with a key has one
      CASE WHEN s.client_message_id IS NOT NULL THEN
        sha256(convert_to(coalesce(s.reply_to_id::text, '-') || coalesce(s.more->>'asked', '') || CASE
          WHEN s.original IS NULL THEN coalesce(s.metadata::text, '-') || coalesce(s.content, '')
          ELSE coalesce((s.original->'metadata')::text, '-') || coalesce(s.original->>'content', '') END, 'UTF8')) END AS body_hash
    FROM json_to_recordset(sends) AS s (
      ord integer, id uuid, chat_id text, sender_id text, client_message_id text, content text, reply_to_id uuid, metadata jsonb, original jsonb,
      more jsonb)
  ), seen AS MATERIALIZED (
    SELECT i.*,
      m.role IS NOT NULL AS is_member, c.last_seq, c.revision AS head,
      o.id AS old_id, o.body_hash AS old_hash, o.seq AS old_seq, o.revision AS old_revision,
      i.reply_to_id IS NULL OR r.id IS NOT NULL AS reply_known, r.seq AS reply_to_seq,
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
    SELECT f.id, f.chat_id, f.new_seq, f.new_revision, f.sender_id, f.client_message_id, f.body_hash, f.content, f.reply_to_id, f.metadata, now_ms,
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
      WHEN coalesce(s.old_hash, f.body_hash) <> s.body_hash THEN 'conflict'
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
-- Appends messages, any number in any chats; `of_chats` names every chat that a send is for, and each send has its place as `ord`.
-- Answers when that was and, in the sends' order, [outcome, id, seq, revision, sender's name, sender's avatar_url, until when a refusal holds,
-- the seq of what it replies to] of each: stored | duplicate | conflict (same key, other body) | no_member | no_reply, or what
-- log_refuse_sends says. One value, for it is read much faster than rows. Only in chats that have a rule is it asked whom that holds up; the
-- others pay nothing for it.
CREATE OR REPLACE FUNCTION log_append(of_chats text[], sends json, OUT at timestamptz, OUT outcomes json)
LANGUAGE plpgsql
-- The planner takes any sends for a hundred and keeps the plan that a table once deserved, reading whole tables or chats. So what
-- is looked up is a LATERAL with OFFSET 0, which it can only look up one by one; what is updated has no other way than this.
SET enable_seqscan = off
AS $$
DECLARE
  has_rules boolean := log_hold_chats(of_chats);
BEGIN
  at := date_trunc('milliseconds', clock_timestamp());
  outcomes := log_append_held(sends, at, has_rules);
END $$;
--> statement-breakpoint
-- Whom a member may name in a chat whose row is locked, of those whom they asked for as { userIds, everyone }: members, in the order asked, and
-- everyone where owners, admins and the two of a direct chat ask for it. Null for nobody.
CREATE FUNCTION log_find_mentions(of_chat text, by_user text, asked jsonb)
RETURNS jsonb
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  user_ids jsonb;
  of_everyone boolean := false;
BEGIN
  SELECT coalesce(jsonb_agg(a.user_id ORDER BY a.place), '[]') INTO user_ids
  FROM jsonb_array_elements_text(asked->'userIds') WITH ORDINALITY AS a (user_id, place)
  JOIN LATERAL (SELECT 1 FROM members m WHERE m.chat_id = of_chat AND m.user_id = a.user_id OFFSET 0) x ON true;
  IF (asked->>'everyone')::boolean THEN
    of_everyone := EXISTS (
      SELECT 1 FROM members m JOIN chats c ON c.id = m.chat_id
      WHERE m.chat_id = of_chat AND m.user_id = by_user AND (m.role <> 'member' OR c.type = 'direct'));
  END IF;
  IF user_ids = '[]' AND NOT of_everyone THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_object('userIds', user_ids, 'everyone', of_everyone);
END $$;
--> statement-breakpoint
-- Keeps whom a message names, as log_find_mentions says, where they find it.
CREATE FUNCTION log_write_mentions(of_chat text, of_seq integer, of_message uuid, found jsonb)
RETURNS void
LANGUAGE sql AS $$
  INSERT INTO mentions (chat_id, seq, user_id, message_id)
  SELECT of_chat, of_seq, u.id, of_message FROM jsonb_array_elements_text(found->'userIds') AS u (id)
  UNION ALL
  SELECT of_chat, of_seq, '', of_message WHERE (found->>'everyone')::boolean;
$$;
--> statement-breakpoint
-- The uploads that a message is to carry, locked, as the contract's attachments in the order asked; each is whole, the sender's, for this
-- chat and of no message yet. Otherwise null, and the place of the first that is none of these, or stands there twice, counted from 0.
CREATE FUNCTION log_hold_uploads(of_chat text, by_user text, asked uuid[], OUT attachments jsonb, OUT fault integer)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
  PERFORM 1 FROM uploads u WHERE u.id = ANY (asked) ORDER BY u.id FOR UPDATE;
  SELECT min(a.place - 1) FILTER (WHERE u.id IS NULL OR a.place > array_position(asked, a.id)), jsonb_agg(jsonb_build_object(
    'id', u.id, 'name', u.name, 'mimeType', u.mime_type, 'size', u.size, 'width', u.width, 'height', u.height, 'durationMs', u.duration_ms
  ) ORDER BY a.place) INTO fault, attachments
  FROM unnest(asked) WITH ORDINALITY AS a (id, place)
  LEFT JOIN LATERAL (
    SELECT * FROM uploads x
    WHERE x.id = a.id AND x.chat_id = of_chat AND x.user_id = by_user
      AND x.stored_at IS NOT NULL AND x.message_id IS NULL AND x.dropped_at IS NULL OFFSET 0) u ON true;
  IF fault IS NOT NULL THEN
    attachments := NULL;
  END IF;
END $$;
--> statement-breakpoint
-- What a send in a chat whose row is locked names and carries: { asked, mentions, attachments }, and the fault of an upload. A stranger's uploads are
-- not looked at, nor those of a retry, whose message has them already: log_append_held says what becomes of these.
CREATE FUNCTION log_find_more(send json)
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
      SELECT 1 FROM messages x
      WHERE x.sender_id = by_user AND x.chat_id COLLATE "POSIX" = of_chat AND x.client_message_id = send->>'client_message_id') THEN
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
-- As log_append, for sends of which some name people or carry uploads: `more` is then { asked: what a retry must repeat, mentions, attachmentIds }.
-- Each of those is appended by itself, so that it finds what the one before has taken. Their outcomes have a ninth part, what they
-- name and carry; no_upload says there which of the uploads it is, and takes none.
CREATE FUNCTION log_append_more(of_chats text[], sends json, OUT at timestamptz, OUT outcomes json)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  has_rules boolean := log_hold_chats(of_chats);
  run record;
  send json;
  more jsonb;
  done json;
  told jsonb := '[]';
BEGIN
  at := date_trunc('milliseconds', clock_timestamp());
  FOR run IN
    SELECT json_agg(e.send ORDER BY e.place) AS sends, e.has_more
    FROM (
      SELECT x.send, x.place, x.send->'more' IS NOT NULL AS has_more,
        x.place - row_number() OVER (PARTITION BY x.send->'more' IS NOT NULL ORDER BY x.place) AS run
      FROM json_array_elements(sends) WITH ORDINALITY AS x (send, place)) e
    GROUP BY e.has_more, CASE WHEN e.has_more THEN e.place ELSE e.run END
    ORDER BY min(e.place)
  LOOP
    IF NOT run.has_more THEN
      told := told || log_append_held(run.sends, at, has_rules)::jsonb;
      CONTINUE;
    END IF;
    send := run.sends->0;
    more := log_find_more(send);
    IF more ? 'fault' THEN
      done := json_build_array('no_upload', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    ELSE
      done := log_append_held(json_build_array(send::jsonb || jsonb_build_object('more', more)), at, has_rules)->0;
    END IF;
    IF done->>0 = 'stored' THEN
      PERFORM log_write_mentions(send->>'chat_id', (done->>2)::integer, (done->>1)::uuid, more->'mentions');
      UPDATE uploads SET message_id = (done->>1)::uuid
      WHERE id = ANY (ARRAY(SELECT (a->>'id')::uuid FROM jsonb_array_elements(more->'attachments') AS a));
    END IF;
    told := told || jsonb_build_array(done::jsonb || jsonb_build_array(more - 'asked'));
  END LOOP;
  outcomes := told;
END $$;
