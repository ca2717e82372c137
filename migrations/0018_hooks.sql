CREATE TABLE "hook_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"hook_key" uuid NOT NULL,
	"type" text NOT NULL,
	"data" jsonb NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "hook_positions" (
	"hook_key" uuid NOT NULL,
	"chat_id" text COLLATE "C" NOT NULL,
	"revision" integer NOT NULL,
	"seen" integer NOT NULL,
	CONSTRAINT "hook_positions_hook_key_chat_id_pk" PRIMARY KEY("hook_key","chat_id")
);
--> statement-breakpoint
CREATE TABLE "hooks" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"key" uuid NOT NULL,
	"url" text NOT NULL,
	"events" jsonb,
	"wants_changes" boolean NOT NULL,
	"secret" text NOT NULL,
	"old_secret" text,
	"old_secret_until" timestamp (3) with time zone,
	"replays" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"disabled_at" timestamp (3) with time zone,
	"lag" bigint DEFAULT 0 NOT NULL,
	"oldest_at" timestamp (3) with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"last_failure" text,
	"last_failure_at" timestamp (3) with time zone,
	"last_success_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "hook_events_oldest" ON "hook_events" USING btree ("hook_key","at","id");
--> statement-breakpoint
ALTER TABLE hook_positions SET (fillfactor = 80);
--> statement-breakpoint
-- Makes a hook, or changes it. One that is new, or that begins to want changes of chats, starts where the chats are now; what is committed
-- later it is told. Of a secret that is given in place of another, the old one signs for a day; with `given_old`, that one does, and '' is none.
CREATE FUNCTION hook_put(of_id text, new_key uuid, new_url text, new_events jsonb, wants boolean, given_secret text, fresh_secret text, given_old text,
  most integer, OUT outcome text, OUT is_new boolean)
LANGUAGE plpgsql AS $$
DECLARE
  held hooks%ROWTYPE;
  is_rotated boolean;
BEGIN
  -- One at a time; who reads the hooks waits for nobody.
  LOCK TABLE hooks IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO held FROM hooks h WHERE h.id = of_id;
  is_new := NOT FOUND;
  outcome := 'ok';
  IF is_new THEN
    IF (SELECT count(*) FROM hooks) >= most THEN
      outcome := 'too_many';
      RETURN;
    END IF;
    INSERT INTO hooks (id, key, url, events, wants_changes, secret, old_secret, created_at)
    VALUES (of_id, new_key, new_url, new_events, wants, coalesce(given_secret, fresh_secret), nullif(given_old, ''), clock_timestamp())
    RETURNING * INTO held;
  ELSE
    is_rotated := given_secret IS NOT NULL AND given_secret <> held.secret;
    UPDATE hooks h SET url = new_url, events = new_events, wants_changes = wants, disabled_at = NULL,
      secret = coalesce(given_secret, held.secret),
      old_secret = CASE WHEN given_old IS NOT NULL THEN nullif(given_old, '') WHEN is_rotated THEN held.secret ELSE held.old_secret END,
      old_secret_until = CASE WHEN given_old IS NOT NULL THEN NULL WHEN is_rotated THEN clock_timestamp() + interval '1 day'
        ELSE held.old_secret_until END
    WHERE h.id = of_id;
  END IF;
  IF wants AND (is_new OR NOT held.wants_changes) THEN
    -- A statement after the hook is there has a snapshot of its own: that is the moment. What it sees of a chat is not told, all else is.
    INSERT INTO hook_positions AS p (hook_key, chat_id, revision, seen)
    SELECT held.key, c.id, c.revision, c.revision FROM chats c
    ON CONFLICT (hook_key, chat_id) DO UPDATE SET revision = excluded.revision, seen = excluded.seen;
  END IF;
END $$;
--> statement-breakpoint
-- Sets a hook back, in one chat or in all: what lies from a revision on is told again. It is never set forward.
CREATE FUNCTION hook_replay(of_id text, of_chat text, from_revision integer, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
  held_key uuid;
BEGIN
  UPDATE hooks h SET replays = h.replays + 1 WHERE h.id = of_id RETURNING h.key INTO held_key;
  IF NOT FOUND OR (of_chat IS NOT NULL AND NOT EXISTS (SELECT 1 FROM chats c WHERE c.id = of_chat)) THEN
    outcome := 'no_hook';
    RETURN;
  END IF;
  outcome := 'ok';
  IF of_chat IS NOT NULL THEN
    UPDATE hook_positions p SET revision = least(p.revision, from_revision - 1), seen = least(p.seen, from_revision - 1)
    WHERE p.hook_key = held_key AND p.chat_id = of_chat;
  ELSE
    UPDATE hook_positions p SET revision = least(p.revision, from_revision - 1), seen = least(p.seen, from_revision - 1)
    WHERE p.hook_key = held_key AND p.seen >= from_revision;
  END IF;
END $$;
--> statement-breakpoint
-- Has the hooks that want to hear of it told of something that is in no chat's log, at least once; answers how many those are. Part of the transaction it is called in.
CREATE FUNCTION hook_queue(of_type text, with_data jsonb)
RETURNS integer
LANGUAGE sql AS $$
  WITH queued AS (
    INSERT INTO hook_events (id, hook_key, type, data, at)
    SELECT gen_random_uuid(), h.key, of_type, with_data, clock_timestamp()
    FROM hooks h WHERE h.disabled_at IS NULL AND (h.events IS NULL OR h.events ? of_type)
    RETURNING 1
  )
  SELECT count(*)::integer FROM queued
$$;
--> statement-breakpoint
CREATE FUNCTION hook_tell_report()
RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM hook_queue('message.reported', jsonb_build_object('reportId', NEW.id));
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER hook_tell_report AFTER INSERT ON reports FOR EACH ROW EXECUTE FUNCTION hook_tell_report();
