-- A direct chat counts its pair from its making on, whether or not the other side is a user yet: else the count tells who exists.

-- Makes a chat with its founders as revision 1, or finds it: by its id, or by the pair of a direct one (whose missing side is put
-- back). A founder with max_chats chats ends it with SQLSTATE LIMIT.
CREATE OR REPLACE FUNCTION log_create_chat(new_id text, of_type text, of_title text, visibility text, pair text, owner text, founders text[], max_chats integer, OUT chat_id text, OUT created boolean, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  now_ms timestamptz := date_trunc('milliseconds', clock_timestamp());
  is_pair boolean;
BEGIN
  PERFORM log_hold_users(founders);
  INSERT INTO chats (id, type, title, direct_key, history_visibility, member_count, revision, last_seq, last_activity_at, created_at)
  VALUES (new_id, of_type, of_title, pair, visibility, 0, 1, 0, now_ms, now_ms)
  ON CONFLICT DO NOTHING;
  created := FOUND;
  IF NOT created THEN
    SELECT c.id, c.direct_key = pair INTO STRICT chat_id, is_pair
    FROM chats c WHERE c.id = new_id OR c.direct_key = pair ORDER BY c.direct_key = pair DESC NULLS LAST LIMIT 1;
    PERFORM 1 FROM chats c WHERE c.id = chat_id FOR NO KEY UPDATE;
    added := '{}';
    IF is_pair THEN
      SELECT a.added INTO added FROM log_join(chat_id, owner, founders, max_chats) a;
      -- log_join has counted who came; they were counted already, unless a deletion had taken them off.
      UPDATE chats c SET member_count = least(c.member_count, json_array_length(pair::json) - (
        SELECT count(*)::integer FROM user_states s WHERE s.user_id = ANY (founders) AND s.deleted_at IS NOT NULL))
      WHERE c.id = chat_id AND cardinality(added) > 0;
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
  UPDATE chats c SET member_count = coalesce(json_array_length(pair::json), cardinality(added), 0) WHERE c.id = new_id;
  INSERT INTO chat_log (chat_id, revision, kind, actor_id, at) VALUES (new_id, 1, 'chat_created', owner, now_ms);
  PERFORM log_check_limit(added, max_chats);
END $$;
--> statement-breakpoint
-- Of the direct chats that are there, those sides who have not come yet; who was taken out by a deletion has a line that says so.
WITH held AS (
  SELECT id, direct_key FROM chats
  WHERE direct_key IS NOT NULL AND member_count < json_array_length(direct_key::json)
  ORDER BY id FOR NO KEY UPDATE
), expected AS (
  SELECT held.id, count(*)::integer AS count
  FROM held, json_array_elements_text(held.direct_key::json) AS side (id)
  WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.chat_id = held.id AND m.user_id = side.id)
    AND NOT EXISTS (SELECT 1 FROM chat_log l WHERE l.chat_id = held.id AND l.user_id = side.id AND l.kind = 'member_removed')
  GROUP BY held.id
)
UPDATE chats c SET member_count = c.member_count + expected.count FROM expected WHERE c.id = expected.id;
