CREATE TABLE "devices" (
	"device_id" uuid PRIMARY KEY NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"kind" text NOT NULL,
	"token" text COLLATE "C" NOT NULL,
	"keys" jsonb,
	"created_at" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	CONSTRAINT "devices_token" UNIQUE("kind","token"),
	CONSTRAINT "devices_kind" CHECK ("devices"."kind" in ('web', 'fcm', 'apns'))
);
--> statement-breakpoint
CREATE TABLE "notice_scans" (
	"id" integer PRIMARY KEY NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"scanned_at" timestamp with time zone NOT NULL,
	"snapshot" text,
	"epoch" uuid,
	"left_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notices" (
	"user_id" text COLLATE "C" NOT NULL,
	"chat_id" text COLLATE "C" NOT NULL,
	"notice_id" uuid NOT NULL,
	"from_seq" integer NOT NULL,
	"through_seq" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "notices_user_id_chat_id_pk" PRIMARY KEY("user_id","chat_id")
);
--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "notified_seq" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "devices_user" ON "devices" USING btree ("user_id","seen_at");--> statement-breakpoint
CREATE INDEX "notices_at" ON "notices" USING btree ("at","notice_id");--> statement-breakpoint
-- Whose tokens are revoked, or who is deleted, is told nothing more on any device until one is registered again.
CREATE FUNCTION log_forget_devices()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  DELETE FROM devices d WHERE d.user_id = NEW.user_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER user_states_devices AFTER INSERT ON user_states FOR EACH ROW
WHEN (NEW.tokens_valid_from IS NOT NULL OR NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION log_forget_devices();
--> statement-breakpoint
CREATE TRIGGER user_states_devices_again AFTER UPDATE OF tokens_valid_from, deleted_at ON user_states FOR EACH ROW
WHEN (NEW.tokens_valid_from IS DISTINCT FROM OLD.tokens_valid_from OR NEW.deleted_at IS DISTINCT FROM OLD.deleted_at)
EXECUTE FUNCTION log_forget_devices();
