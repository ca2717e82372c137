-- Sends beside chats that somebody holds for longer than a moment. The law of 0001 holds: lock first, look second.

-- As log_append, or log_append_more where `has_more`; or it fails as a whole, with 55P03, where somebody holds one of the chats for longer than other
-- writers' commits take.
CREATE FUNCTION log_append_soon(of_chats text[], sends json, has_more boolean, OUT at timestamptz, OUT outcomes json)
LANGUAGE plpgsql
SET enable_seqscan = off
SET lock_timeout = '100ms'
AS $$
DECLARE
  has_rules boolean := log_hold_chats(of_chats);
BEGIN
  IF has_more THEN
    -- It takes the locks again, which are ours by now.
    SELECT m.at, m.outcomes INTO at, outcomes FROM log_append_more(of_chats, sends) m;
  ELSE
    at := date_trunc('milliseconds', clock_timestamp());
    outcomes := log_append_held(sends, at, has_rules);
  END IF;
END $$;
--> statement-breakpoint
-- Locks those of some chats that nobody else holds, in the order of their ids; `held` are the others, null where there is none. A chat that does not exist
-- is neither.
CREATE FUNCTION log_hold_free_chats(of_chats text[], OUT free text[], OUT held text[])
LANGUAGE plpgsql AS $$
BEGIN
  SELECT array_agg(c.id) INTO free FROM (
    SELECT chats.id FROM chats WHERE chats.id = ANY (of_chats) ORDER BY chats.id FOR NO KEY UPDATE SKIP LOCKED) c;
  SELECT array_agg(chats.id) INTO held FROM chats WHERE chats.id = ANY (of_chats) AND chats.id <> ALL (coalesce(free, '{}'));
END $$;
--> statement-breakpoint
-- The same, but it waits for no chat: those that somebody else holds just now are `held`, nothing is written in them, and `outcomes` are of the
-- sends that are left, in their order.
CREATE FUNCTION log_append_free(of_chats text[], sends json, has_more boolean, OUT at timestamptz, OUT outcomes json, OUT held text[])
LANGUAGE plpgsql AS $$
DECLARE
  free text[];
BEGIN
  SELECT h.free, h.held INTO free, held FROM log_hold_free_chats(of_chats) h;
  SELECT coalesce(json_agg(e.send ORDER BY e.place), '[]') INTO sends FROM json_array_elements(sends) WITH ORDINALITY AS e (send, place)
  WHERE e.send->>'chat_id' <> ALL (coalesce(held, '{}'));
  IF json_array_length(sends) > 0 AND has_more THEN
    SELECT a.at, a.outcomes INTO at, outcomes FROM log_append_more(coalesce(free, '{}'), sends) a;
  ELSIF json_array_length(sends) > 0 THEN
    SELECT a.at, a.outcomes INTO at, outcomes FROM log_append(coalesce(free, '{}'), sends) a;
  ELSE
    at := date_trunc('milliseconds', clock_timestamp());
    outcomes := '[]';
  END IF;
END $$;
