-- Custom data on chats, and profiles that tell whether they changed.

-- A JSON merge patch, by RFC 7396: an object is merged key by key, null takes a key away, whatever else takes the place of what was there.
CREATE FUNCTION log_merge_patch(target jsonb, patch jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  one record;
  merged jsonb := CASE jsonb_typeof(target) WHEN 'object' THEN target ELSE '{}' END;
BEGIN
  IF jsonb_typeof(patch) IS DISTINCT FROM 'object' THEN RETURN patch; END IF;
  FOR one IN SELECT * FROM jsonb_each(patch) LOOP
    merged := CASE jsonb_typeof(one.value)
      WHEN 'null' THEN merged - one.key
      ELSE merged || jsonb_build_object(one.key, log_merge_patch(merged->one.key, one.value)) END;
  END LOOP;
  RETURN merged;
END $$;
--> statement-breakpoint
-- How many bytes a value has as it is sent: as text, without the space that PostgreSQL writes after each comma and colon.
CREATE FUNCTION log_json_bytes(value jsonb)
RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
  SELECT octet_length(value::text) - coalesce(sum(CASE jsonb_typeof(v)
    WHEN 'object' THEN greatest(2 * (SELECT count(*) FROM jsonb_object_keys(v)) - 1, 0)
    WHEN 'array' THEN greatest(jsonb_array_length(v) - 1, 0)
    ELSE 0 END), 0)::integer
  FROM jsonb_path_query(value, 'strict $.**') AS v
$$;
--> statement-breakpoint
-- Makes or finds a chat as the function without metadata does; what is made carries it. An empty object is none.
CREATE FUNCTION log_create_chat(new_id text, of_type text, of_title text, visibility text, pair text, owner text, founders text[], max_chats integer, with_metadata jsonb, OUT chat_id text, OUT created boolean, OUT added text[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  SELECT f.* INTO chat_id, created, added
  FROM log_create_chat(new_id, of_type, of_title, visibility, pair, owner, founders, max_chats) AS f;
  IF created THEN
    UPDATE chats c SET metadata = with_metadata WHERE c.id = new_id AND with_metadata <> '{}';
  END IF;
END $$;
--> statement-breakpoint
-- Changes the title, the visibility, the rules and the metadata of a group, this by a merge patch of at most so many bytes in the end; outcome
-- as log_may_change says, or same | large_metadata. What is null stays as it is. Of a direct chat both may change the metadata alone (blocked: no
-- user may).
CREATE FUNCTION log_update_chat(of_chat text, by_actor text, has_title boolean, new_title text, new_visibility text, new_slow_seconds integer, new_frozen boolean, patch jsonb, most_bytes integer, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  held chats%ROWTYPE;
  fresh chats%ROWTYPE;
BEGIN
  outcome := log_may_change(of_chat, by_actor, '{owner,admin}');
  IF outcome NOT IN ('ok', 'direct') THEN RETURN; END IF;
  SELECT * INTO held FROM chats WHERE id = of_chat;
  IF outcome = 'direct' THEN
    IF patch IS NULL OR has_title OR coalesce(new_visibility, new_slow_seconds::text, new_frozen::text) IS NOT NULL THEN RETURN; END IF;
    outcome := CASE WHEN held.is_blocked AND by_actor IS NOT NULL THEN 'blocked' ELSE 'ok' END;
    IF outcome <> 'ok' THEN RETURN; END IF;
  END IF;
  fresh := held;
  IF has_title THEN fresh.title := new_title; END IF;
  fresh.history_visibility := coalesce(new_visibility, held.history_visibility);
  fresh.slow_mode_seconds := coalesce(new_slow_seconds, held.slow_mode_seconds);
  fresh.is_frozen := coalesce(new_frozen, held.is_frozen);
  IF patch IS NOT NULL THEN
    fresh.metadata := nullif(nullif(log_merge_patch(held.metadata, patch), '{}'), 'null');
  END IF;
  IF fresh = held THEN
    outcome := 'same';
    RETURN;
  END IF;
  IF fresh.metadata IS DISTINCT FROM held.metadata AND log_json_bytes(fresh.metadata) > most_bytes THEN
    outcome := 'large_metadata';
    RETURN;
  END IF;
  UPDATE chats SET title = fresh.title, history_visibility = fresh.history_visibility, slow_mode_seconds = fresh.slow_mode_seconds,
    is_frozen = fresh.is_frozen
  WHERE id = of_chat;
  IF fresh.metadata IS DISTINCT FROM held.metadata THEN
    UPDATE chats SET metadata = fresh.metadata WHERE id = of_chat;
  END IF;
  PERFORM log_write(of_chat, 'chat_updated', NULL, NULL, by_actor);
END $$;
--> statement-breakpoint
-- For nodes of the version before.
CREATE OR REPLACE FUNCTION log_update_chat(of_chat text, by_actor text, has_title boolean, new_title text, new_visibility text, new_slow_seconds integer, new_frozen boolean, OUT outcome text)
LANGUAGE plpgsql AS $$
BEGIN
  outcome := log_update_chat(of_chat, by_actor, has_title, new_title, new_visibility, new_slow_seconds, new_frozen, NULL, NULL);
END $$;
--> statement-breakpoint
-- In large tables the database's own shares of a table would have it wait for millions of rows.
ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
ALTER TABLE chat_log SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
ALTER TABLE chats SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
--> statement-breakpoint
ALTER TABLE members SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
