CREATE TABLE "bans" (
	"chat_id" text COLLATE "C" NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"actor_id" text COLLATE "C",
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "bans_chat_id_user_id_pk" PRIMARY KEY("chat_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "blocks" (
	"user_id" text COLLATE "C" NOT NULL,
	"blocked_user_id" text COLLATE "C" NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "blocks_user_id_blocked_user_id_pk" PRIMARY KEY("user_id","blocked_user_id")
);
--> statement-breakpoint
CREATE TABLE "reports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"message_id" uuid NOT NULL,
	"chat_id" text COLLATE "C" NOT NULL,
	"reporter_id" text COLLATE "C" NOT NULL,
	"reason" text NOT NULL,
	"comment" text,
	"content" text,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "reports_once" UNIQUE("message_id","reporter_id")
);
--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "slow_mode_seconds" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "is_frozen" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "is_blocked" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "has_mutes" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "muted_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "last_sent_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "chat_log" ADD COLUMN "muted_until" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "blocks_blocked" ON "blocks" USING btree ("blocked_user_id","user_id");--> statement-breakpoint
CREATE INDEX "reports_newest" ON "reports" USING btree ("at","id");
--> statement-breakpoint
-- Mutes, bans, slow mode, freezing, blocks and reports; the law is that of 0001: lock first, look second.

-- Why a member may not write in a chat just now: muted | blocked | frozen, or null. A mute and a block are a person's, whoever writes for
-- them; services are free of what a chat asks of its members. One expression, so that the planner puts it where it is asked for.
CREATE FUNCTION log_refusal(of_role text, muted_until timestamptz, is_blocked boolean, is_frozen boolean, by_service boolean, at timestamptz)
RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN muted_until > at THEN 'muted'
    WHEN is_blocked THEN 'blocked'
    WHEN is_frozen AND of_role = 'member' AND by_service IS NOT TRUE THEN 'frozen' END
$$;
--> statement-breakpoint
-- Of sends to chats whose rows are locked, those that a rule holds up, each as [ord, refusal or slow, until when]. What is stored already
-- is asked for again and not refused, and of what one member sends at once in slow mode, the first is not.
CREATE FUNCTION log_refuse_sends(sends json, now_ms timestamptz)
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
    LEFT JOIN LATERAL (
      SELECT x.id FROM messages x
      WHERE x.sender_id = s.sender_id AND x.chat_id COLLATE "POSIX" = s.chat_id AND x.client_message_id = s.client_message_id OFFSET 0) o ON true
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
-- Puts the outcomes of those sends that were let through and of those that were refused in the order of them all, and notes who has sent
-- in slow mode.
CREATE FUNCTION log_join_outcomes(sends json, outcomes json, refused json, now_ms timestamptz)
RETURNS json
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  joined json;
BEGIN
  UPDATE members m SET last_sent_at = now_ms
  FROM json_array_elements(sends) WITH ORDINALITY AS e (send, place)
  JOIN json_array_elements(outcomes) WITH ORDINALITY AS o (outcome, place) ON o.place = e.place AND o.outcome->>0 = 'stored'
  JOIN LATERAL (SELECT x.slow_mode_seconds FROM chats x WHERE x.id = e.send->>'chat_id' OFFSET 0) c ON c.slow_mode_seconds > 0
  WHERE m.chat_id = e.send->>'chat_id' AND m.user_id = e.send->>'sender_id';

  SELECT json_agg(x.outcome ORDER BY x.ord) INTO joined FROM (
    SELECT (e.send->>'ord')::integer AS ord, o.outcome
    FROM json_array_elements(sends) WITH ORDINALITY AS e (send, place)
    JOIN json_array_elements(outcomes) WITH ORDINALITY AS o (outcome, place) ON o.place = e.place
    UNION ALL
    SELECT (f.one->>0)::integer, json_build_array(f.one->1, NULL, NULL, NULL, NULL, NULL, f.one->2)
    FROM json_array_elements(refused) AS f (one)) x;
  RETURN joined;
END $$;
--> statement-breakpoint
-- Appends messages, any number in any chats; `of_chats` names every chat that a send is for, and each send has its place as `ord`.
-- Answers when that was and, in the sends' order, [outcome, id, seq, revision, sender's name, sender's avatar_url] of each:
-- stored | duplicate | conflict (same key, other body) | no_member | no_reply, or what log_refuse_sends says. One value, for it is read much
-- faster than rows. Only in chats that have a rule is it asked whom that holds up; the others pay nothing for it.
CREATE OR REPLACE FUNCTION log_append(of_chats text[], sends json, OUT at timestamptz, OUT outcomes json)
LANGUAGE plpgsql
-- The planner takes any sends for a hundred and keeps the plan that a table once deserved, reading whole tables or chats. So what
-- is looked up is a LATERAL with OFFSET 0, which it can only look up one by one; what is updated has no other way than this.
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  now_ms timestamptz;
  has_rules boolean;
  refused json;
BEGIN
  SELECT bool_or(held.has_rules) INTO has_rules FROM (
    SELECT chats.slow_mode_seconds > 0 OR chats.is_frozen OR chats.is_blocked OR chats.has_mutes AS has_rules FROM chats
    WHERE chats.id = ANY (of_chats)
    ORDER BY chats.id FOR NO KEY UPDATE) held;

  now_ms := date_trunc('milliseconds', clock_timestamp());
  at := now_ms;
  IF has_rules THEN
    refused := log_refuse_sends(sends, now_ms);
    SELECT coalesce(json_agg(e.send ORDER BY e.place), '[]') INTO sends FROM json_array_elements(sends) WITH ORDINALITY AS e (send, place)
    WHERE NOT EXISTS (SELECT 1 FROM json_array_elements(refused) AS f (one) WHERE (f.one->>0)::integer = (e.send->>'ord')::integer);
  END IF;

  WITH input AS MATERIALIZED (
    SELECT s.*,
      -- what a retry must repeat; edits change the content, a hook may have put something else in its place, and only a send with a key has one
      CASE WHEN s.client_message_id IS NOT NULL THEN
        sha256(convert_to(coalesce(s.reply_to_id::text, '-') || CASE
          WHEN s.original IS NULL THEN coalesce(s.metadata::text, '-') || s.content
          ELSE coalesce((s.original->'metadata')::text, '-') || (s.original->>'content') END, 'UTF8')) END AS body_hash
    FROM json_to_recordset(sends) AS s (
      ord integer, id uuid, chat_id text, sender_id text, client_message_id text, content text, reply_to_id uuid, metadata jsonb, original jsonb)
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

  IF has_rules THEN
    outcomes := log_join_outcomes(sends, outcomes, refused, now_ms);
  END IF;
END $$;
--> statement-breakpoint
-- Takes the next revision of a chat whose row is locked, and writes its line of a member, as they are or were.
CREATE FUNCTION log_write_member(of_kind text, of_member members, by_actor text)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  head integer;
BEGIN
  UPDATE chats SET revision = revision + 1 WHERE id = of_member.chat_id RETURNING revision INTO STRICT head;
  INSERT INTO chat_log (chat_id, revision, kind, user_id, actor_id, role, joined_at, muted_until, at)
  VALUES (of_member.chat_id, head, of_kind, of_member.user_id, by_actor, of_member.role, of_member.joined_at, of_member.muted_until,
    date_trunc('milliseconds', clock_timestamp()));
  RETURN head;
END $$;
--> statement-breakpoint
-- Ends a membership in a chat whose row is locked, and finds a new owner where the last one went.
CREATE OR REPLACE FUNCTION log_leave(of_chat text, by_actor text, of_user text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  gone members%ROWTYPE;
  heir members%ROWTYPE;
BEGIN
  DELETE FROM members WHERE chat_id = of_chat AND user_id = of_user RETURNING * INTO gone;
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE chats SET member_count = member_count - 1 WHERE id = of_chat;
  PERFORM log_write_member('member_removed', gone, by_actor);

  IF gone.role = 'owner' AND NOT EXISTS (SELECT 1 FROM members WHERE chat_id = of_chat AND role = 'owner') THEN
    SELECT * INTO heir FROM members WHERE chat_id = of_chat
    ORDER BY role <> 'admin', joined_revision, user_id LIMIT 1;
    IF FOUND THEN
      UPDATE members SET role = 'owner' WHERE chat_id = of_chat AND user_id = heir.user_id RETURNING * INTO heir;
      PERFORM log_write_member('member_role', heir, by_actor);
    END IF;
  END IF;
END $$;
--> statement-breakpoint
-- Changes a member's role; outcome as log_may_change says, or no_member | last_owner | same.
CREATE OR REPLACE FUNCTION log_set_role(of_chat text, by_actor text, of_user text, new_role text, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  held members%ROWTYPE;
BEGIN
  outcome := log_may_change(of_chat, by_actor, '{owner}');
  IF outcome <> 'ok' THEN RETURN; END IF;
  SELECT * INTO held FROM members WHERE chat_id = of_chat AND user_id = of_user;
  outcome := CASE
    WHEN held.user_id IS NULL THEN 'no_member'
    WHEN held.role = new_role THEN 'same'
    WHEN held.role = 'owner' AND 1 = (SELECT count(*) FROM members WHERE chat_id = of_chat AND role = 'owner') THEN 'last_owner'
    ELSE 'ok' END;
  IF outcome = 'ok' THEN
    UPDATE members SET role = new_role WHERE chat_id = of_chat AND user_id = of_user RETURNING * INTO held;
    PERFORM log_write_member('member_role', held, by_actor);
  END IF;
END $$;
--> statement-breakpoint
-- What stands against an actor's measures against a user, who need be no member, under the chat's lock: outcome as log_may_change says. Nobody
-- takes measures against themselves, and an admin none against an owner or another admin.
CREATE FUNCTION log_may_moderate(of_chat text, by_actor text, of_user text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  outcome text := log_may_change(of_chat, by_actor, '{owner,admin}');
BEGIN
  IF outcome <> 'ok' OR by_actor IS NULL THEN RETURN outcome; END IF;
  IF by_actor = of_user
    OR (EXISTS (SELECT 1 FROM members WHERE chat_id = of_chat AND user_id = of_user AND role <> 'member')
      AND NOT EXISTS (SELECT 1 FROM members WHERE chat_id = of_chat AND user_id = by_actor AND role = 'owner')) THEN
    RETURN 'forbidden';
  END IF;
  RETURN 'ok';
END $$;
--> statement-breakpoint
-- Mutes a member until a time, or no longer; outcome as log_may_moderate says, or no_member | same. A time that has passed is none.
CREATE FUNCTION log_mute_member(of_chat text, by_actor text, of_user text, new_until timestamptz, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  held members%ROWTYPE;
  fresh timestamptz;
BEGIN
  outcome := log_may_moderate(of_chat, by_actor, of_user);
  IF outcome <> 'ok' THEN RETURN; END IF;
  fresh := CASE WHEN new_until > clock_timestamp() THEN new_until END;
  SELECT * INTO held FROM members WHERE chat_id = of_chat AND user_id = of_user;
  outcome := CASE
    WHEN held.user_id IS NULL THEN 'no_member'
    WHEN held.muted_until IS NOT DISTINCT FROM fresh THEN 'same'
    ELSE 'ok' END;
  IF outcome = 'ok' THEN
    UPDATE members SET muted_until = fresh WHERE chat_id = of_chat AND user_id = of_user RETURNING * INTO held;
    PERFORM log_write_member('member_muted', held, by_actor);
    UPDATE chats SET has_mutes = EXISTS (SELECT 1 FROM members m WHERE m.chat_id = of_chat AND m.muted_until > clock_timestamp())
    WHERE id = of_chat;
  END IF;
END $$;
--> statement-breakpoint
-- Takes a user out of a chat and keeps them out, whether or not they are in it; outcome as log_may_moderate says, or many_bans | same.
CREATE FUNCTION log_ban_member(of_chat text, by_actor text, of_user text, most integer, OUT outcome text)
LANGUAGE plpgsql AS $$
BEGIN
  outcome := log_may_moderate(of_chat, by_actor, of_user);
  IF outcome <> 'ok' THEN RETURN; END IF;
  IF most <= (SELECT count(*) FROM bans WHERE chat_id = of_chat AND user_id <> of_user) THEN
    outcome := 'many_bans';
    RETURN;
  END IF;
  INSERT INTO bans (chat_id, user_id, actor_id, at) VALUES (of_chat, of_user, by_actor, clock_timestamp()) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    outcome := 'same';
    RETURN;
  END IF;
  PERFORM log_leave(of_chat, by_actor, of_user);
END $$;
--> statement-breakpoint
-- Lets a user be added again; outcome as log_may_change says, or same.
CREATE FUNCTION log_unban_member(of_chat text, by_actor text, of_user text, OUT outcome text)
LANGUAGE plpgsql AS $$
BEGIN
  outcome := log_may_change(of_chat, by_actor, '{owner,admin}');
  IF outcome <> 'ok' THEN RETURN; END IF;
  DELETE FROM bans WHERE chat_id = of_chat AND user_id = of_user;
  IF NOT FOUND THEN outcome := 'same'; END IF;
END $$;
--> statement-breakpoint
-- Adds members; outcome as log_may_change says, or banned, and then `added` are those who are.
CREATE OR REPLACE FUNCTION log_add_members(of_chat text, by_actor text, joiners text[], max_chats integer, OUT outcome text, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  added := '{}';
  PERFORM log_hold_users(joiners);
  outcome := log_may_change(of_chat, by_actor, '{owner,admin}');
  IF outcome <> 'ok' THEN RETURN; END IF;
  SELECT coalesce(array_agg(b.user_id), '{}') INTO added FROM bans b WHERE b.chat_id = of_chat AND b.user_id = ANY (joiners);
  IF cardinality(added) > 0 THEN
    outcome := 'banned';
  ELSE
    SELECT a.added INTO added FROM log_join(of_chat, by_actor, joiners, max_chats) a;
  END IF;
END $$;
--> statement-breakpoint
-- Makes a chat with its founders as revision 1, or finds it: by its id, or by the pair of a direct one (whose missing side is put
-- back). A founder with max_chats chats ends it with SQLSTATE LIMIT; two of whom one has blocked the other get no direct chat (SQLSTATE
-- BLOCK), but one that is there is still found by who is in it.
CREATE OR REPLACE FUNCTION log_create_chat(new_id text, of_type text, of_title text, visibility text, pair text, owner text, founders text[], max_chats integer, OUT chat_id text, OUT created boolean, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_ms timestamptz := date_trunc('milliseconds', clock_timestamp());
  is_pair boolean;
  is_apart boolean;
BEGIN
  PERFORM log_hold_users(founders);
  is_apart := pair IS NOT NULL
    AND EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = ANY (founders) AND b.blocked_user_id = ANY (founders));
  INSERT INTO chats (id, type, title, direct_key, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
  VALUES (new_id, of_type, of_title, pair, visibility, 0, 1, 0, now_ms, now_ms)
  ON CONFLICT DO NOTHING;
  created := FOUND;
  IF NOT created THEN
    SELECT c.id, c.direct_key = pair INTO STRICT chat_id, is_pair
    FROM chats c WHERE c.id = new_id OR c.direct_key = pair ORDER BY c.direct_key = pair DESC NULLS LAST LIMIT 1;
    PERFORM 1 FROM chats c WHERE c.id = chat_id FOR NO KEY UPDATE;
    added := '{}';
    IF is_pair AND is_apart THEN
      IF NOT EXISTS (SELECT 1 FROM members m WHERE m.chat_id = log_create_chat.chat_id AND m.user_id = owner) THEN
        RAISE EXCEPTION 'the two are apart' USING ERRCODE = 'BLOCK';
      END IF;
    ELSIF is_pair THEN
      SELECT a.added INTO added FROM log_join(chat_id, owner, founders, max_chats) a;
      -- log_join has counted who came; they were counted already, unless a deletion had taken them off.
      UPDATE chats c SET member_count = least(c.member_count, json_array_length(pair::json) - (
        SELECT count(*)::integer FROM user_states s WHERE s.user_id = ANY (founders) AND s.deleted_at IS NOT NULL))
      WHERE c.id = chat_id AND cardinality(added) > 0;
    END IF;
    RETURN;
  END IF;
  IF is_apart THEN
    RAISE EXCEPTION 'the two are apart' USING ERRCODE = 'BLOCK';
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
  UPDATE chats c SET member_count = coalesce(json_array_length(pair::json), cardinality(added), 0) WHERE c.id = new_id;
  INSERT INTO chat_log (chat_id, revision, kind, actor_id, at) VALUES (new_id, 1, 'chat_created', owner, now_ms);
  PERFORM log_check_limit(added, max_chats);
END $$;
--> statement-breakpoint
-- Why a member may not change what is written in a chat whose row is locked, as log_refusal says, and until when.
CREATE FUNCTION log_refused(of_chat text, by_actor text, by_service boolean, OUT refusal text, OUT until timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT log_refusal(m.role, m.muted_until, c.is_blocked, c.is_frozen, by_service, clock_timestamp()), m.muted_until INTO refusal, until
  FROM members m JOIN chats c ON c.id = m.chat_id WHERE m.chat_id = of_chat AND m.user_id = by_actor;
END $$;
--> statement-breakpoint
-- Changes the content of one's own message: no_message | forbidden | deleted | same | ok, or what log_refusal says, and until when.
CREATE FUNCTION log_edit_message(of_message uuid, by_actor text, new_content text, by_service boolean, OUT outcome text, OUT of_chat text, OUT until timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  held record;
  ruled record;
BEGIN
  SELECT * INTO held FROM log_hold_message(of_message, by_actor);
  of_chat := held.chat_id;
  SELECT * INTO ruled FROM log_refused(of_chat, by_actor, by_service);
  until := ruled.until;
  outcome := CASE
    WHEN held.chat_id IS NULL THEN 'no_message'
    WHEN held.sender_id <> by_actor THEN 'forbidden'
    WHEN ruled.refusal IS NOT NULL THEN ruled.refusal
    WHEN held.is_deleted THEN 'deleted'
    WHEN held.content = new_content THEN 'same'
    ELSE 'ok' END;
  IF outcome = 'ok' THEN
    UPDATE messages SET content = new_content, edited_at = date_trunc('milliseconds', clock_timestamp()),
      revision = log_write(of_chat, 'message_updated', of_message, NULL, by_actor)
    WHERE id = of_message;
  END IF;
END $$;
--> statement-breakpoint
-- For nodes of the version before.
CREATE OR REPLACE FUNCTION log_edit_message(of_message uuid, by_actor text, new_content text, OUT outcome text, OUT of_chat text)
LANGUAGE plpgsql AS $$
DECLARE
  changed record;
BEGIN
  SELECT * INTO changed FROM log_edit_message(of_message, by_actor, new_content, false);
  outcome := CASE WHEN changed.outcome IN ('muted', 'blocked', 'frozen') THEN 'forbidden' ELSE changed.outcome END;
  of_chat := changed.of_chat;
END $$;
--> statement-breakpoint
-- Puts an emoji on a message or takes it off: no_message | deleted | full | same | ok, or what log_refusal says, and until when. A message has at
-- most most_emoji different ones.
CREATE FUNCTION log_react(of_message uuid, by_actor text, with_emoji text, is_put boolean, most_emoji integer, by_service boolean, OUT outcome text, OUT of_chat text, OUT until timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  held record;
  ruled record;
BEGIN
  SELECT * INTO held FROM log_hold_message(of_message, by_actor);
  of_chat := held.chat_id;
  SELECT * INTO ruled FROM log_refused(of_chat, by_actor, by_service);
  until := ruled.until;
  outcome := CASE
    WHEN held.chat_id IS NULL THEN 'no_message'
    WHEN ruled.refusal IS NOT NULL THEN ruled.refusal
    WHEN held.is_deleted THEN 'deleted'
    WHEN is_put AND most_emoji <= (SELECT count(DISTINCT emoji) FROM reactions WHERE message_id = of_message AND emoji <> with_emoji) THEN 'full'
    ELSE 'ok' END;
  IF outcome <> 'ok' THEN RETURN; END IF;

  IF is_put THEN
    INSERT INTO reactions (message_id, emoji, user_id, created_at) VALUES (of_message, with_emoji, by_actor, clock_timestamp())
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM reactions WHERE message_id = of_message AND emoji = with_emoji AND user_id = by_actor;
  END IF;
  IF NOT FOUND THEN
    outcome := 'same';
    RETURN;
  END IF;
  UPDATE messages SET revision = log_write(of_chat, 'message_updated', of_message, NULL, by_actor) WHERE id = of_message;
END $$;
--> statement-breakpoint
-- For nodes of the version before.
CREATE OR REPLACE FUNCTION log_react(of_message uuid, by_actor text, with_emoji text, is_put boolean, most_emoji integer, OUT outcome text, OUT of_chat text)
LANGUAGE plpgsql AS $$
DECLARE
  changed record;
BEGIN
  SELECT * INTO changed FROM log_react(of_message, by_actor, with_emoji, is_put, most_emoji, false);
  outcome := CASE WHEN changed.outcome IN ('muted', 'blocked', 'frozen') THEN 'forbidden' ELSE changed.outcome END;
  of_chat := changed.of_chat;
END $$;
--> statement-breakpoint
-- Changes the title, the visibility and the rules of a group; outcome as log_may_change says, or same. What is null stays as it is.
CREATE FUNCTION log_update_chat(of_chat text, by_actor text, has_title boolean, new_title text, new_visibility text, new_slow_seconds integer, new_frozen boolean, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  held chats%ROWTYPE;
  fresh chats%ROWTYPE;
BEGIN
  outcome := log_may_change(of_chat, by_actor, '{owner,admin}');
  IF outcome <> 'ok' THEN RETURN; END IF;
  SELECT * INTO held FROM chats WHERE id = of_chat;
  fresh := held;
  IF has_title THEN fresh.title := new_title; END IF;
  fresh.history_visibility := coalesce(new_visibility, held.history_visibility);
  fresh.slow_mode_seconds := coalesce(new_slow_seconds, held.slow_mode_seconds);
  fresh.is_frozen := coalesce(new_frozen, held.is_frozen);
  IF fresh = held THEN
    outcome := 'same';
    RETURN;
  END IF;
  UPDATE chats SET title = fresh.title, history_visibility = fresh.history_visibility, slow_mode_seconds = fresh.slow_mode_seconds,
    is_frozen = fresh.is_frozen
  WHERE id = of_chat;
  PERFORM log_write(of_chat, 'chat_updated', NULL, NULL, by_actor);
END $$;
--> statement-breakpoint
-- For nodes of the version before.
CREATE OR REPLACE FUNCTION log_update_chat(of_chat text, by_actor text, has_title boolean, new_title text, new_visibility text, OUT outcome text)
LANGUAGE plpgsql AS $$
BEGIN
  outcome := log_update_chat(of_chat, by_actor, has_title, new_title, new_visibility, NULL, NULL);
END $$;
--> statement-breakpoint
-- The direct chats of two, locked: by their pair, and those that came from elsewhere without one.
CREATE FUNCTION log_hold_direct_chats(one text, other text, pair text)
RETURNS text[]
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  held text[];
BEGIN
  PERFORM log_hold_users(ARRAY[one, other]);
  SELECT array_agg(x.id) INTO held FROM (
    SELECT c.id FROM chats c WHERE c.direct_key = pair
    UNION
    SELECT c.id FROM members mine
    JOIN members theirs ON theirs.chat_id = mine.chat_id AND theirs.user_id = other
    JOIN chats c ON c.id = mine.chat_id AND c.type = 'direct'
    WHERE mine.user_id = one) x;
  PERFORM 1 FROM chats WHERE id = ANY (held) ORDER BY id FOR NO KEY UPDATE;
  RETURN held;
END $$;
--> statement-breakpoint
-- Has a user block another, or no longer; what is said in their direct chats waits for it. many_blocks | ok, and whom the user blocks now.
CREATE FUNCTION log_set_block(by_user text, of_user text, pair text, is_put boolean, most integer, OUT outcome text, OUT blocked text[])
LANGUAGE plpgsql AS $$
DECLARE
  held text[] := log_hold_direct_chats(by_user, of_user, pair);
BEGIN
  outcome := 'ok';
  IF NOT is_put THEN
    DELETE FROM blocks WHERE user_id = by_user AND blocked_user_id = of_user;
  ELSIF most <= (SELECT count(*) FROM blocks WHERE user_id = by_user AND blocked_user_id <> of_user) THEN
    outcome := 'many_blocks';
    RETURN;
  ELSE
    INSERT INTO blocks (user_id, blocked_user_id, at) VALUES (by_user, of_user, clock_timestamp()) ON CONFLICT DO NOTHING;
  END IF;
  UPDATE chats SET is_blocked = NOT is_blocked
  WHERE id = ANY (held) AND is_blocked <> EXISTS (
    SELECT 1 FROM blocks b WHERE b.user_id IN (by_user, of_user) AND b.blocked_user_id IN (by_user, of_user));
  SELECT coalesce(array_agg(b.blocked_user_id ORDER BY b.at, b.blocked_user_id), '{}') INTO blocked FROM blocks b WHERE b.user_id = by_user;
END $$;
--> statement-breakpoint
-- Keeps a member's report of a message that they may see, with what it says: no_message | deleted | same | ok.
CREATE FUNCTION log_report_message(new_id uuid, of_message uuid, by_reporter text, with_reason text, with_comment text, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  seen record;
BEGIN
  SELECT m.chat_id, m.content, m.deleted_at IS NOT NULL AS is_deleted INTO seen
  FROM messages m
  JOIN chats c ON c.id = m.chat_id
  JOIN members b ON b.chat_id = m.chat_id AND b.user_id = by_reporter
  WHERE m.id = of_message AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq);
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
-- Deletes what a user wrote, up to most messages of one chat after another, a revision each, and what reports have kept of it. Answers the
-- chats that changed; none when nothing is left of either.
CREATE OR REPLACE FUNCTION log_erase_messages(of_user text, most integer)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  of_chat text;
  erased uuid;
BEGIN
  SELECT chat_id INTO of_chat FROM messages WHERE sender_id = of_user AND deleted_at IS NULL LIMIT 1;
  IF NOT FOUND THEN
    UPDATE reports r SET content = NULL FROM messages m WHERE m.id = r.message_id AND m.sender_id = of_user AND r.content IS NOT NULL;
    RETURN;
  END IF;
  PERFORM 1 FROM chats WHERE id = of_chat FOR NO KEY UPDATE;
  FOR erased IN SELECT id FROM messages WHERE sender_id = of_user AND chat_id = of_chat AND deleted_at IS NULL ORDER BY seq LIMIT most LOOP
    PERFORM log_blank_message(of_chat, erased, NULL);
  END LOOP;
  RETURN NEXT of_chat;
END $$;
