-- Unlogged: its row is gone after a crash, and on a server that took over. Then numbers of transactions may have been given again.
CREATE UNLOGGED TABLE "log_epochs" (
	"id" integer PRIMARY KEY NOT NULL,
	"epoch" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "user_ends" (
	"xact_id" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"code" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "user_ends_xact_id_user_id_code_pk" PRIMARY KEY("xact_id","user_id","code"),
	CONSTRAINT "user_ends_code" CHECK ("user_ends"."code" in ('DISCONNECTED', 'TOKEN_REVOKED', 'USER_DELETED'))
);
--> statement-breakpoint
CREATE INDEX "user_ends_at" ON "user_ends" USING btree ("at");--> statement-breakpoint
-- In two steps, so that no line of a large log is written again: those that are there have none.
ALTER TABLE "chat_log" ADD COLUMN "xact_id" "xid8";--> statement-breakpoint
ALTER TABLE "chat_log" ALTER COLUMN "xact_id" SET DEFAULT pg_current_xact_id();--> statement-breakpoint
-- Keeps that all sockets of a user, as they were so many milliseconds ago, are to end; what is older than an hour goes.
CREATE FUNCTION log_end_user(of_user text, with_code text, ago_ms double precision)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM user_ends WHERE ctid = ANY (ARRAY(
    SELECT e.ctid FROM user_ends e WHERE e.at < clock_timestamp() - interval '1 hour'
    ORDER BY e.at LIMIT 100 FOR UPDATE SKIP LOCKED));
  INSERT INTO user_ends (user_id, code, at)
  VALUES (of_user, with_code, clock_timestamp() - make_interval(secs => ago_ms / 1000))
  ON CONFLICT DO NOTHING;
END $$;
--> statement-breakpoint
-- Whoever revokes tokens or makes a tombstone, nodes of the version before too, leaves a row. In this schema, whatever theirs is.
CREATE FUNCTION log_note_end()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM log_end_user(NEW.user_id, CASE WHEN NEW.deleted_at IS NULL THEN 'TOKEN_REVOKED' ELSE 'USER_DELETED' END, 0);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER user_states_ends AFTER INSERT ON user_states FOR EACH ROW
WHEN (NEW.tokens_valid_from IS NOT NULL OR NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION log_note_end();
--> statement-breakpoint
CREATE TRIGGER user_states_end_again AFTER UPDATE OF tokens_valid_from, deleted_at ON user_states FOR EACH ROW
WHEN (NEW.tokens_valid_from IS DISTINCT FROM OLD.tokens_valid_from OR NEW.deleted_at IS DISTINCT FROM OLD.deleted_at)
EXECUTE FUNCTION log_note_end();
