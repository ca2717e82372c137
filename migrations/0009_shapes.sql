CREATE TABLE "chat_settings" (
	"user_id" text COLLATE "C" NOT NULL,
	"chat_id" text COLLATE "C" NOT NULL,
	"muted_until" timestamp (3) with time zone,
	"is_pinned" boolean DEFAULT false NOT NULL,
	"is_archived" boolean DEFAULT false NOT NULL,
	"hidden_at_seq" integer,
	"unread_at_seq" integer,
	CONSTRAINT "chat_settings_user_id_chat_id_pk" PRIMARY KEY("user_id","chat_id")
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"user_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"chat_id" text COLLATE "C",
	"erased" integer DEFAULT 0 NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	"done_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "purges" (
	"chat_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mentions" (
	"chat_id" text COLLATE "C" NOT NULL,
	"seq" integer NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"message_id" uuid NOT NULL,
	CONSTRAINT "mentions_chat_id_user_id_seq_pk" PRIMARY KEY("chat_id","user_id","seq")
);
--> statement-breakpoint
CREATE TABLE "pins" (
	"chat_id" text COLLATE "C" NOT NULL,
	"pinned_at" timestamp (3) with time zone NOT NULL,
	"message_id" uuid NOT NULL,
	CONSTRAINT "pins_chat_id_pinned_at_message_id_pk" PRIMARY KEY("chat_id","pinned_at","message_id")
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"id" uuid PRIMARY KEY NOT NULL,
	"chat_id" text COLLATE "C" NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"name" text NOT NULL,
	"mime_type" text NOT NULL,
	"size" bigint NOT NULL,
	"width" integer,
	"height" integer,
	"duration_ms" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	"stored_at" timestamp (3) with time zone,
	"message_id" uuid,
	"dropped_at" timestamp (3) with time zone,
	"token_hash" "bytea"
);
--> statement-breakpoint
ALTER TABLE "chat_log" ADD COLUMN "through_seq" integer;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "metadata" jsonb;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "first_seq" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "log_from" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "deleted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "reply_to_seq" integer;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "mentions" jsonb;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "attachments" jsonb;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "pinned_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "mentions_user" ON "mentions" USING btree ("user_id","message_id");--> statement-breakpoint
CREATE INDEX "mentions_everyone" ON "mentions" USING btree ("chat_id","message_id") WHERE user_id = '';--> statement-breakpoint
CREATE INDEX "uploads_user_open" ON "uploads" USING btree ("user_id") WHERE message_id IS NULL;--> statement-breakpoint
CREATE INDEX "uploads_message" ON "uploads" USING btree ("message_id") WHERE message_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "uploads_open" ON "uploads" USING btree ("created_at") WHERE message_id IS NULL;--> statement-breakpoint
CREATE INDEX "uploads_dropped" ON "uploads" USING btree ("dropped_at") WHERE dropped_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "uploads_chat" ON "uploads" USING btree ("chat_id");
