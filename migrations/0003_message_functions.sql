-- Changes of messages and chats; the law is that of 0001: lock first, look second.

-- Locks the chat of a message, then looks: one row when the actor is a member who may see it, else none.
CREATE FUNCTION log_hold_message(of_message uuid, by_actor text)
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
  WHERE m.id = of_message AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq);
END $$;
--> statement-breakpoint
-- Changes the content of one's own message: no_message | forbidden | deleted | same | ok.
CREATE FUNCTION log_edit_message(of_message uuid, by_actor text, new_content text, OUT outcome text, OUT of_chat text)
LANGUAGE plpgsql AS $$
DECLARE
  held record;
BEGIN
  SELECT * INTO held FROM log_hold_message(of_message, by_actor);
  of_chat := held.chat_id;
  outcome := CASE
    WHEN held.chat_id IS NULL THEN 'no_message'
    WHEN held.sender_id <> by_actor THEN 'forbidden'
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
-- Deletes a message, of the sender's or by an owner or admin: no_message | forbidden | same | ok.
CREATE FUNCTION log_delete_message(of_message uuid, by_actor text, OUT outcome text, OUT of_chat text)
LANGUAGE plpgsql AS $$
DECLARE
  held record;
BEGIN
  SELECT * INTO held FROM log_hold_message(of_message, by_actor);
  of_chat := held.chat_id;
  outcome := CASE
    WHEN held.chat_id IS NULL THEN 'no_message'
    WHEN held.sender_id <> by_actor AND held.role = 'member' THEN 'forbidden'
    WHEN held.is_deleted THEN 'same'
    ELSE 'ok' END;
  IF outcome = 'ok' THEN
    PERFORM log_blank_message(of_chat, of_message, by_actor);
  END IF;
END $$;
--> statement-breakpoint
-- Leaves of a message nothing but its place, in a chat whose row is locked.
CREATE FUNCTION log_blank_message(of_chat text, of_message uuid, by_actor text)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM reactions WHERE message_id = of_message;
  UPDATE messages SET content = NULL, metadata = NULL, deleted_at = date_trunc('milliseconds', clock_timestamp()),
    revision = log_write(of_chat, 'message_deleted', of_message, NULL, by_actor)
  WHERE id = of_message;
END $$;
--> statement-breakpoint
-- Puts an emoji on a message or takes it off: no_message | deleted | full | same | ok. A message has at most most_emoji different ones.
CREATE FUNCTION log_react(of_message uuid, by_actor text, with_emoji text, is_put boolean, most_emoji integer, OUT outcome text, OUT of_chat text)
LANGUAGE plpgsql AS $$
DECLARE
  held record;
BEGIN
  SELECT * INTO held FROM log_hold_message(of_message, by_actor);
  of_chat := held.chat_id;
  outcome := CASE
    WHEN held.chat_id IS NULL THEN 'no_message'
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
-- Changes the title or the visibility of a group; outcome as log_may_change says, or same. A null visibility stays as it is.
CREATE FUNCTION log_update_chat(of_chat text, by_actor text, has_title boolean, new_title text, new_visibility text, OUT outcome text)
LANGUAGE plpgsql AS $$
BEGIN
  outcome := log_may_change(of_chat, by_actor, '{owner,admin}');
  IF outcome <> 'ok' THEN RETURN; END IF;
  UPDATE chats
  SET title = CASE WHEN has_title THEN new_title ELSE title END, history_visibility = coalesce(new_visibility, history_visibility)
  WHERE id = of_chat
    AND ((has_title AND title IS DISTINCT FROM new_title) OR history_visibility <> coalesce(new_visibility, history_visibility));
  IF FOUND THEN
    PERFORM log_write(of_chat, 'chat_updated', NULL, NULL, by_actor);
  ELSE
    outcome := 'same';
  END IF;
END $$;
--> statement-breakpoint
-- Changes a member's role; outcome as log_may_change says, or no_member | last_owner | same.
CREATE FUNCTION log_set_role(of_chat text, by_actor text, of_user text, new_role text, OUT outcome text)
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
    UPDATE members SET role = new_role WHERE chat_id = of_chat AND user_id = of_user;
    PERFORM log_write(of_chat, 'member_role', NULL, of_user, by_actor, new_role, held.joined_at);
  END IF;
END $$;
