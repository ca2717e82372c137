-- What a member keeps of a chat for themselves: last-value state that no revision tells of. It is looked at under the lock of the member's row,
-- as their read mark is: whoever leaves waits for it, and takes it along.

-- The oldest members of a chat, however many it has. None of its columns ever changes in a row, so that moving a mark stays within its page.
-- Its chat has a collation of its own: who looks for one member has no other index to take than before, and a large chat is not gone through for them.
-- A large table gets it at the start (services/log/oldest.ts), which holds up no send.
DO $$ BEGIN
  IF pg_relation_size('members') < 16 * 1024 * 1024 THEN
    CREATE INDEX IF NOT EXISTS members_oldest ON members (chat_id COLLATE "POSIX", joined_revision, user_id);
  END IF;
END $$;
--> statement-breakpoint
CREATE FUNCTION log_forget_settings()
RETURNS trigger
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
BEGIN
  DELETE FROM chat_settings WHERE user_id = OLD.user_id AND chat_id = OLD.chat_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER members_gone AFTER DELETE ON members FOR EACH ROW EXECUTE FUNCTION log_forget_settings();
--> statement-breakpoint
-- Changes a member's own settings of a chat; what is null stays as it is, and so does a mute of which nothing is said. A chat is hidden while
-- it has no later message than now. no_member | same | ok, and the settings.
CREATE FUNCTION log_set_chat_settings(of_user text, of_chat text, has_mute boolean, new_muted_until timestamptz, new_pinned boolean,
  new_archived boolean, new_hidden boolean, new_unread boolean,
  OUT outcome text, OUT own_muted_until timestamptz, OUT is_pinned boolean, OUT is_archived boolean, OUT is_hidden boolean, OUT is_marked_unread boolean)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  read_seq integer;
  head_seq integer;
  held chat_settings%ROWTYPE;
  before record;
  wanted record;
BEGIN
  SELECT m.last_read_seq INTO read_seq FROM members m WHERE m.chat_id = of_chat AND m.user_id = of_user FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'no_member';
    RETURN;
  END IF;
  SELECT c.last_seq INTO STRICT head_seq FROM chats c WHERE c.id = of_chat;
  SELECT z.* INTO held FROM chat_settings z WHERE z.user_id = of_user AND z.chat_id = of_chat;
  SELECT held.muted_until AS muted_until, coalesce(held.is_pinned, false) AS is_pinned, coalesce(held.is_archived, false) AS is_archived,
    coalesce(held.hidden_at_seq >= head_seq, false) AS is_hidden, coalesce(held.unread_at_seq >= read_seq, false) AS is_marked_unread
  INTO before;
  SELECT CASE WHEN has_mute THEN date_trunc('milliseconds', new_muted_until) ELSE before.muted_until END AS muted_until,
    coalesce(new_pinned, before.is_pinned) AS is_pinned, coalesce(new_archived, before.is_archived) AS is_archived,
    coalesce(new_hidden, before.is_hidden) AS is_hidden, coalesce(new_unread, before.is_marked_unread) AS is_marked_unread
  INTO wanted;
  outcome := 'same';
  IF wanted IS DISTINCT FROM before THEN
    outcome := 'ok';
    INSERT INTO chat_settings AS z (user_id, chat_id, muted_until, is_pinned, is_archived, hidden_at_seq, unread_at_seq)
    VALUES (of_user, of_chat, wanted.muted_until, wanted.is_pinned, wanted.is_archived,
      CASE WHEN wanted.is_hidden THEN head_seq END, CASE WHEN wanted.is_marked_unread THEN read_seq END)
    ON CONFLICT (user_id, chat_id) DO UPDATE SET muted_until = excluded.muted_until, is_pinned = excluded.is_pinned,
      is_archived = excluded.is_archived, hidden_at_seq = excluded.hidden_at_seq, unread_at_seq = excluded.unread_at_seq;
  END IF;
  own_muted_until := wanted.muted_until;
  is_pinned := wanted.is_pinned;
  is_archived := wanted.is_archived;
  is_hidden := wanted.is_hidden;
  is_marked_unread := wanted.is_marked_unread;
END $$;
