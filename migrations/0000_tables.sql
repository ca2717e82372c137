CREATE TABLE "chat_log" (
	"chat_id" text COLLATE "C" NOT NULL,
	"revision" integer NOT NULL,
	"kind" text NOT NULL,
	"message_id" uuid,
	"user_id" text COLLATE "C",
	"actor_id" text COLLATE "C",
	"role" text,
	"joined_at" timestamp (3) with time zone,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "chat_log_chat_id_revision_pk" PRIMARY KEY("chat_id","revision")
);
--> statement-breakpoint
CREATE TABLE "chats" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"title" text,
	"direct_key" text COLLATE "C",
	"history_visibility" text NOT NULL,
	"member_count" integer NOT NULL,
	"revision" integer NOT NULL,
	"last_seq" integer NOT NULL,
	"last_activity_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "chats_direct_key" UNIQUE("direct_key"),
	CONSTRAINT "chats_type" CHECK ("chats"."type" in ('direct', 'group')),
	CONSTRAINT "chats_history_visibility" CHECK ("chats"."history_visibility" in ('all', 'joined'))
);
--> statement-breakpoint
CREATE TABLE "members" (
	"chat_id" text COLLATE "C" NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"role" text NOT NULL,
	"joined_at" timestamp (3) with time zone NOT NULL,
	"joined_revision" integer NOT NULL,
	"last_read_seq" integer NOT NULL,
	"visible_from_seq" integer NOT NULL,
	CONSTRAINT "members_chat_id_user_id_pk" PRIMARY KEY("chat_id","user_id"),
	CONSTRAINT "members_role" CHECK ("members"."role" in ('owner', 'admin', 'member'))
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"id" uuid PRIMARY KEY NOT NULL,
	"chat_id" text COLLATE "C" NOT NULL,
	"seq" integer NOT NULL,
	"revision" integer NOT NULL,
	"sender_id" text COLLATE "C" NOT NULL,
	"client_message_id" text COLLATE "C",
	"body_hash" bytea,
	"content" text,
	"reply_to_id" uuid,
	"metadata" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"edited_at" timestamp (3) with time zone,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "messages_chat_seq" UNIQUE("chat_id","seq")
);
--> statement-breakpoint
CREATE TABLE "user_states" (
	"user_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"last_seen_at" timestamp (3) with time zone,
	"presence_version" bigint,
	"tokens_valid_from" timestamp (3) with time zone,
	"deleted_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"avatar_url" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "chats"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "members_user" ON "members" USING btree ("user_id","chat_id");--> statement-breakpoint
CREATE UNIQUE INDEX "messages_once" ON "messages" USING btree ("sender_id",chat_id COLLATE "POSIX","client_message_id");