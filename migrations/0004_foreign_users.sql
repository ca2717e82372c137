-- As in 0001, and where a host has put a view in the place of users, its rows are left alone.
CREATE OR REPLACE FUNCTION log_delete_user(of_user text)
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
