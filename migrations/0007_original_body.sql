-- A send may come with `original`, { content, metadata }, where a hook has put something else in its place: a retry repeats what its sender
-- wrote. The function is changed where it reads a send, whatever else it has become.
DO $$
DECLARE
  old_text text := pg_get_functiondef('log_append(text[], json)'::regprocedure);
  new_text text;
BEGIN
  new_text := replace(old_text,
    $q$coalesce(s.metadata::text, '-') || s.content$q$,
    $q$CASE WHEN s.original IS NULL THEN coalesce(s.metadata::text, '-') || s.content
          ELSE coalesce((s.original->'metadata')::text, '-') || (s.original->>'content') END$q$);
  new_text := replace(new_text, 'reply_to_id uuid, metadata jsonb', 'reply_to_id uuid, metadata jsonb, original jsonb');
  IF new_text NOT LIKE '%ELSE coalesce((s.original%' OR new_text NOT LIKE '%original jsonb%' THEN
    RAISE EXCEPTION 'log_append does not read its sends as it did';
  END IF;
  EXECUTE new_text;
END $$;
