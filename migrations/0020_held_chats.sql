-- Sends beside chats that somebody else holds: they wait for nobody's lock. The law of 0001 holds: lock first, look second.

-- Locks those of some chats that nobody else holds, in the order of their ids; `held` are the others, null where there is none. As log_hold_chats, says
-- whether one of them has a rule that may hold a send up. A chat that does not exist is neither.
CREATE FUNCTION log_hold_free_chats(of_chats text[], OUT free text[], OUT held text[], OUT has_rules boolean)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT array_agg(c.id), bool_or(c.has_rules) INTO free, has_rules FROM (
    SELECT chats.id, chats.slow_mode_seconds > 0 OR chats.is_frozen OR chats.is_blocked OR chats.has_mutes AS has_rules FROM chats
    WHERE chats.id = ANY (of_chats)
    ORDER BY chats.id FOR NO KEY UPDATE SKIP LOCKED) c;
  IF cardinality(free) IS DISTINCT FROM cardinality(of_chats) THEN
    SELECT array_agg(chats.id) INTO held FROM chats WHERE chats.id = ANY (of_chats) AND chats.id <> ALL (coalesce(free, '{}'));
  END IF;
END $$;
--> statement-breakpoint
-- As log_append, or log_append_more where `has_more`, for the chats that nobody else holds just now: the others are `held`, nothing is written in them, and
-- `outcomes` are of the sends that are left, in their order.
CREATE FUNCTION log_append_free(of_chats text[], sends json, has_more boolean, OUT at timestamptz, OUT outcomes json, OUT held text[])
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  free text[];
  has_rules boolean;
BEGIN
  SELECT h.free, h.held, h.has_rules INTO free, held, has_rules FROM log_hold_free_chats(of_chats) h;
  IF held IS NOT NULL THEN
    SELECT coalesce(json_agg(e.send ORDER BY e.place), '[]') INTO sends FROM json_array_elements(sends) WITH ORDINALITY AS e (send, place)
    WHERE e.send->>'chat_id' <> ALL (held);
  END IF;
  IF json_array_length(sends) = 0 THEN
    at := date_trunc('milliseconds', clock_timestamp());
    outcomes := '[]';
  ELSIF has_more THEN
    -- It takes their locks again, which are ours by now.
    SELECT m.at, m.outcomes INTO at, outcomes FROM log_append_more(free, sends) m;
  ELSE
    at := date_trunc('milliseconds', clock_timestamp());
    outcomes := log_append_held(sends, at, has_rules);
  END IF;
END $$;
