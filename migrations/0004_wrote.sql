-- What this transaction has written of a chat, whose row it holds: the revisions above `after`, up to `through`; at most `most` of them.
CREATE FUNCTION log_wrote(of_chat text, most integer, OUT after integer, OUT through integer)
LANGUAGE plpgsql
-- The plan outlives the small table that it is made for: it must be the index's.
SET enable_seqscan = off
AS $$
BEGIN
  SELECT c.revision INTO through FROM chats c WHERE c.id = of_chat;
  SELECT log_wrote.through - count(*)::integer INTO after FROM chat_log l
  WHERE l.chat_id = of_chat AND l.revision > log_wrote.through - most AND l.xmin = pg_current_xact_id()::xid;
END $$;
