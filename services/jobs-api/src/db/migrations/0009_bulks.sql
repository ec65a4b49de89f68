-- Bulk actions on jobs. Both tables are new and empty: this takes no lock that anything waits for.
CREATE TABLE jobs.bulks (
  n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL,
  user_id text NOT NULL,
  action text NOT NULL,
  state text NOT NULL DEFAULT 'waiting',
  matched integer NOT NULL DEFAULT 0,
  done integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  errors json NOT NULL DEFAULT '[]',
  reason text,
  idempotency_key text,
  body_hash text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  -- No items are left: it needs no more work.
  is_settled boolean NOT NULL DEFAULT false
);
--> statement-breakpoint
CREATE UNIQUE INDEX bulks_id ON jobs.bulks (id);
--> statement-breakpoint
CREATE INDEX bulks_of_user ON jobs.bulks (user_id, n);
--> statement-breakpoint
CREATE UNIQUE INDEX bulks_key ON jobs.bulks (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
--> statement-breakpoint
CREATE INDEX open_bulks ON jobs.bulks (user_id, n) WHERE NOT is_settled;
--> statement-breakpoint
-- What a bulk action has still to do. An item is deleted with its outcome.
CREATE TABLE jobs.bulk_items (
  bulk bigint NOT NULL,
  place integer NOT NULL,
  -- The number of the job, and its last event when the bulk action was requested.
  job bigint NOT NULL,
  seen_ms bigint,
  seen_seq bigint,
  -- Written before the item is worked on: what makes doing it again after a crash do nothing.
  intent text,
  PRIMARY KEY (bulk, place)
);
