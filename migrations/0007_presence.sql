CREATE TABLE "presence_choices" (
	"user_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"status" text NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "presence_leases" (
	"node_id" uuid NOT NULL,
	"connection_id" text COLLATE "C" NOT NULL,
	"user_id" text COLLATE "C" NOT NULL,
	"opened_us" bigint NOT NULL,
	CONSTRAINT "presence_leases_node_id_connection_id_pk" PRIMARY KEY("node_id","connection_id")
);
--> statement-breakpoint
CREATE TABLE "presence_marks" (
	"id" integer PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "presence_nodes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"seen_ms" bigint NOT NULL,
	"lease_ms" integer NOT NULL,
	"is_ended" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "presence_stores" (
	"id" integer PRIMARY KEY NOT NULL,
	"young_until_ms" bigint NOT NULL,
	"swept_ms" bigint NOT NULL,
	"watched_from_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "presences" (
	"user_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"last_seen_ms" bigint,
	"version" bigint NOT NULL,
	"true_status" text NOT NULL,
	"true_last_seen_ms" bigint,
	"true_version" bigint NOT NULL,
	"proven_ms" bigint NOT NULL,
	"due_ms" bigint
);
--> statement-breakpoint
CREATE INDEX "presence_leases_user" ON "presence_leases" USING btree ("user_id","opened_us","connection_id");--> statement-breakpoint
CREATE INDEX "presences_online" ON "presences" USING btree ("user_id") WHERE status <> 'offline';--> statement-breakpoint
CREATE INDEX "presences_here" ON "presences" USING btree ("user_id") WHERE true_status <> 'offline';--> statement-breakpoint
CREATE INDEX "presences_due" ON "presences" USING btree ("due_ms") WHERE due_ms IS NOT NULL;
--> statement-breakpoint
-- The lease store: see services/presence/leases.ts for its laws. What all functions keep to: the rows of users are locked first, in the order of
-- their ids, and looked at in a statement after that. Nothing counts but this clock; a test may bring its own as now_ms.
CREATE FUNCTION presence_clock()
RETURNS bigint
LANGUAGE sql VOLATILE AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;
--> statement-breakpoint
-- Locks the rows of some users; who has none gets one that says nothing yet (version 0), and is forgotten in an hour if that stays so.
CREATE FUNCTION presence_lock(of_users text[], at_ms bigint)
RETURNS void
LANGUAGE sql AS $$
  INSERT INTO presences AS p (user_id, status, version, true_status, true_version, proven_ms, due_ms)
  SELECT u.id, 'offline', 0, 'offline', 0, 0, at_ms + 3600000 FROM (SELECT DISTINCT unnest(of_users) COLLATE "C" AS id) u ORDER BY u.id
  ON CONFLICT (user_id) DO UPDATE SET version = p.version WHERE false
$$;
--> statement-breakpoint
-- Puts right what is said of users whose rows are locked, after anything that may have changed it; answers the public records that changed. Of
-- those `retold` they are answered anyway, for a first answer may not have come; with `is_again` nothing is answered of who was not known at all.
-- `seen_ms` is when they last were known to be there, if that is news.
CREATE FUNCTION presence_settle(of_users text[], at_ms bigint, retold text[], is_again boolean, seen_ms bigint)
RETURNS json
LANGUAGE sql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
  WITH seen AS MATERIALIZED (
    SELECT p.*, coalesce(l.is_held, false) AS is_held, coalesce(c.status, 'online') AS chosen,
      coalesce(l.is_held, false) OR (p.true_status <> 'offline' AND coalesce(p.due_ms, 0) > at_ms) AS is_here
    FROM (SELECT DISTINCT unnest(of_users) COLLATE "C" AS id) u
    JOIN LATERAL (SELECT * FROM presences x WHERE x.user_id = u.id OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT true AS is_held FROM presence_leases x WHERE x.user_id = u.id LIMIT 1) l ON true
    LEFT JOIN LATERAL (SELECT x.status FROM presence_choices x WHERE x.user_id = u.id OFFSET 0) c ON true
  ), looks AS (
    SELECT s.*, CASE WHEN s.is_held THEN at_ms ELSE greatest(s.proven_ms, seen_ms) END AS now_seen_ms,
      CASE WHEN NOT s.is_here THEN 'offline' WHEN s.chosen = 'invisible' THEN 'online' ELSE s.chosen END AS now_true,
      CASE WHEN NOT s.is_here OR s.chosen = 'invisible' THEN 'offline' ELSE s.chosen END AS now_public
    FROM seen s
  ), settled AS MATERIALIZED (
    SELECT k.user_id, k.chosen, k.version AS old_version, k.status <> k.now_public AS is_changed, k.now_public AS status,
      CASE WHEN k.status <> k.now_public THEN k.now_seen_ms ELSE k.last_seen_ms END AS last_seen_ms,
      CASE WHEN k.status <> k.now_public THEN greatest(k.version + 1, at_ms) ELSE k.version END AS version,
      k.now_true AS true_status,
      CASE WHEN k.true_status <> k.now_true THEN k.now_seen_ms ELSE k.true_last_seen_ms END AS true_last_seen_ms,
      CASE WHEN k.true_status <> k.now_true THEN greatest(k.true_version + 1, at_ms) ELSE k.true_version END AS true_version,
      CASE WHEN k.is_held THEN NULL WHEN k.is_here OR (k.true_status = 'offline' AND k.due_ms > at_ms) THEN k.due_ms ELSE at_ms + 3600000 END AS due_ms
    FROM looks k
  ), written AS (
    UPDATE presences p SET status = s.status, last_seen_ms = s.last_seen_ms, version = s.version, true_status = s.true_status,
      true_last_seen_ms = s.true_last_seen_ms, true_version = s.true_version, due_ms = s.due_ms, proven_ms = greatest(p.proven_ms, seen_ms)
    FROM settled s
    WHERE p.user_id = s.user_id
      AND (p.status <> s.status OR p.true_status <> s.true_status OR p.due_ms IS DISTINCT FROM s.due_ms OR p.proven_ms < seen_ms)
  )
  SELECT coalesce(json_agg(json_build_object('userId', s.user_id, 'isOnline', s.status <> 'offline', 'status', s.status,
    'lastSeenAtMs', s.last_seen_ms, 'version', s.version) ORDER BY s.user_id), '[]')
  FROM settled s
  WHERE (s.is_changed AND NOT (is_again AND s.old_version = 0))
    OR (s.user_id = ANY (retold) AND s.version > 0 AND s.chosen <> 'invisible')
$$;
--> statement-breakpoint
-- A node is there, with an id that no node had before. A store that is empty although there was one lost all leases: then it is young for as
-- long as one of them would have lived. Answers whether it is.
CREATE FUNCTION presence_enter(of_node uuid, of_lease_ms integer, now_ms bigint)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  at_ms bigint := coalesce(now_ms, presence_clock());
BEGIN
  INSERT INTO presence_stores (id, young_until_ms, swept_ms, watched_from_ms)
  SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM presence_marks) THEN at_ms + of_lease_ms ELSE 0 END, at_ms, at_ms
  ON CONFLICT DO NOTHING;
  INSERT INTO presence_marks (id) VALUES (1) ON CONFLICT DO NOTHING;
  INSERT INTO presence_nodes (id, seen_ms, lease_ms) VALUES (of_node, at_ms, of_lease_ms) ON CONFLICT DO NOTHING;
  RETURN (SELECT s.young_until_ms > at_ms FROM presence_stores s);
END $$;
--> statement-breakpoint
-- Opens leases, each [connection, user], and closes others, each [connection, grace in ms]. Either way, and with nothing to do, the node shows that it
-- lives; one that is not known any more is told so, and nothing is done. Answers what changed, and of users who have more than `most`
-- connections the oldest as [user, connection]. In a young store every close has a grace that lasts until it is not.
CREATE FUNCTION presence_apply(of_node uuid, opens json, closes json, retold text[], is_again boolean, most integer, now_ms bigint,
  OUT is_known boolean, OUT changed json, OUT crowded json)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  at_ms bigint := coalesce(now_ms, presence_clock());
  young_ms bigint;
  users text[];
BEGIN
  changed := '[]';
  crowded := '[]';
  UPDATE presence_nodes SET seen_ms = greatest(seen_ms, at_ms) WHERE id = of_node AND NOT is_ended;
  is_known := FOUND;
  IF NOT is_known OR json_array_length(opens) + json_array_length(closes) = 0 THEN RETURN; END IF;
  SELECT young_until_ms INTO young_ms FROM presence_stores;

  SELECT array_agg(u.id) INTO users FROM (
    SELECT o.one->>1 AS id FROM json_array_elements(opens) AS o (one)
    UNION SELECT l.user_id FROM json_array_elements(closes) AS c (one)
    JOIN LATERAL (SELECT x.user_id FROM presence_leases x WHERE x.node_id = of_node AND x.connection_id = c.one->>0 OFFSET 0) l ON true) u;
  IF users IS NULL THEN RETURN; END IF;
  PERFORM presence_lock(users, at_ms);

  WITH gone AS MATERIALIZED (
    SELECT c.one->>0 AS connection_id, (c.one->>1)::bigint AS grace_ms, c.place
    FROM json_array_elements(closes) WITH ORDINALITY AS c (one, place)
  ), closed AS (
    -- By its place: else the planner may go through all leases of the node for each.
    DELETE FROM presence_leases l USING (
      SELECT g.*, x.lies_at FROM gone g JOIN LATERAL (
        SELECT y.ctid AS lies_at FROM presence_leases y WHERE y.node_id = of_node AND y.connection_id = g.connection_id OFFSET 0) x ON true) d
    WHERE l.ctid = d.lies_at
    RETURNING l.user_id, d.grace_ms, d.place
  )
  UPDATE presences p SET proven_ms = greatest(p.proven_ms, at_ms), due_ms = greatest(at_ms + n.grace_ms, young_ms)
  FROM (SELECT DISTINCT ON (c.user_id) c.user_id, c.grace_ms FROM closed c ORDER BY c.user_id, c.place DESC) n
  WHERE p.user_id = n.user_id;

  INSERT INTO presence_leases (node_id, connection_id, user_id, opened_us)
  SELECT of_node, o.one->>0, o.one->>1, at_ms * 1000 + o.place FROM json_array_elements(opens) WITH ORDINALITY AS o (one, place)
  ON CONFLICT DO NOTHING;

  changed := presence_settle(users, at_ms, retold, is_again AND young_ms > at_ms, 0);
  SELECT coalesce(json_agg(json_build_array(x.user_id, x.connection_id)), '[]') INTO crowded
  FROM (SELECT DISTINCT o.one->>1 AS id FROM json_array_elements(opens) AS o (one)) u
  JOIN LATERAL (
    SELECT l.user_id, l.connection_id FROM presence_leases l WHERE l.user_id = u.id
    ORDER BY l.opened_us DESC, l.connection_id DESC OFFSET most) x ON true;
END $$;
--> statement-breakpoint
-- Ends what has run out, one node at a time: all leases of nodes that fell silent, then graces; forgets who was long away. Answers what changed,
-- and whether there is more to do. Silence counts only while somebody was there to hear: after a pause of the sweeping above `pause_ms`
-- every node has a lease's time to speak up, and so it has in a young store. `store_ms` is another when the store is another.
CREATE FUNCTION presence_sweep(pause_ms bigint, step integer, now_ms bigint, OUT changed json, OUT is_more boolean, OUT store_ms bigint)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  at_ms bigint := coalesce(now_ms, presence_clock());
  from_ms bigint;
  young_ms bigint;
  dead_node uuid;
  dead_ms bigint;
  places tid[];
  users text[];
BEGIN
  changed := '[]';
  is_more := false;
  SELECT s.young_until_ms INTO store_ms FROM presence_stores s;
  IF NOT pg_try_advisory_xact_lock(1886545267, hashtext(current_schema())) THEN RETURN; END IF;
  UPDATE presence_stores SET swept_ms = at_ms, watched_from_ms = CASE WHEN at_ms - swept_ms > pause_ms THEN at_ms ELSE watched_from_ms END
  RETURNING watched_from_ms, young_until_ms INTO from_ms, young_ms;
  IF NOT FOUND THEN RETURN; END IF;

  IF young_ms <= at_ms THEN
    UPDATE presence_nodes SET is_ended = true WHERE id IN (
      SELECT n.id FROM presence_nodes n
      WHERE NOT n.is_ended AND greatest(n.seen_ms, CASE WHEN pause_ms IS NOT NULL THEN from_ms END) + n.lease_ms <= at_ms FOR UPDATE SKIP LOCKED);
    SELECT n.id, n.seen_ms INTO dead_node, dead_ms FROM presence_nodes n WHERE n.is_ended LIMIT 1;
    IF FOUND THEN
      is_more := true;
      -- Nobody but this touches the leases of a node that is ended.
      SELECT array_agg(l.lies_at), array_agg(l.user_id) INTO places, users FROM (
        SELECT x.ctid AS lies_at, x.user_id FROM presence_leases x WHERE x.node_id = dead_node LIMIT step) l;
      IF users IS NULL THEN
        DELETE FROM presence_nodes n WHERE n.id = dead_node;
        RETURN;
      END IF;
      PERFORM presence_lock(users, at_ms);
      DELETE FROM presence_leases l WHERE l.ctid = ANY (places);
      changed := presence_settle(users, at_ms, '{}', false, dead_ms);
      RETURN;
    END IF;
  END IF;

  SELECT array_agg(d.user_id) INTO users FROM (
    SELECT p.user_id FROM presences p WHERE p.due_ms <= at_ms ORDER BY p.due_ms LIMIT step) d;
  IF users IS NULL THEN RETURN; END IF;
  is_more := cardinality(users) >= step;
  PERFORM presence_lock(users, at_ms);
  DELETE FROM presences p USING (SELECT DISTINCT unnest(users) COLLATE "C" AS id) u
  WHERE p.user_id = u.id AND p.true_status = 'offline' AND p.due_ms <= at_ms;
  changed := presence_settle(users, at_ms, '{}', false, 0);
END $$;
--> statement-breakpoint
-- A user chooses how to look; answers their record if that changed it. Who wants to look as they are has no row.
CREATE FUNCTION presence_choose(of_user text, to_status text, now_ms bigint)
RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  at_ms bigint := coalesce(now_ms, presence_clock());
BEGIN
  PERFORM presence_lock(ARRAY[of_user], at_ms);
  IF to_status = 'online' THEN
    DELETE FROM presence_choices c WHERE c.user_id = of_user;
  ELSE
    INSERT INTO presence_choices AS c (user_id, status) VALUES (of_user, to_status)
    ON CONFLICT (user_id) DO UPDATE SET status = excluded.status WHERE c.status <> excluded.status;
  END IF;
  UPDATE presences p SET proven_ms = greatest(p.proven_ms, at_ms) WHERE p.user_id = of_user AND p.due_ms IS NOT NULL;
  RETURN presence_settle(ARRAY[of_user], at_ms, '{}', false, 0);
END $$;
--> statement-breakpoint
-- A node goes, its leases closed. The last to go ends the graces, for nobody would be there to do so: they are due at once.
CREATE FUNCTION presence_leave(of_node uuid, now_ms bigint)
RETURNS boolean
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  at_ms bigint := coalesce(now_ms, presence_clock());
  is_last boolean;
BEGIN
  UPDATE presence_nodes SET is_ended = true WHERE id = of_node AND NOT is_ended;
  SELECT NOT EXISTS (SELECT 1 FROM presence_nodes n WHERE NOT n.is_ended AND n.seen_ms + n.lease_ms > at_ms)
    AND s.young_until_ms <= at_ms INTO is_last FROM presence_stores s;
  IF is_last THEN
    UPDATE presences SET due_ms = at_ms WHERE due_ms > at_ms AND true_status <> 'offline';
  END IF;
  RETURN coalesce(is_last, false);
END $$;
