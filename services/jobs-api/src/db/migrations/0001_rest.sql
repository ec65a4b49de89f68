-- By name and by queue with the state, so that each pair of filters is one range of an index:
-- without a state the five ranges are merged. The state is indexed anyway, so this costs no more writes.
DROP INDEX jobs.jobs_user_name, jobs.jobs_user_queue;
--> statement-breakpoint
CREATE INDEX jobs_user_name ON jobs.jobs (user_id, name, state, created_ms DESC, n DESC);
--> statement-breakpoint
CREATE INDEX jobs_user_queue ON jobs.jobs (user_id, queue, state, created_ms DESC, n DESC);
--> statement-breakpoint
-- An adopted job's id comes again in other queues and generations: the newest is read first.
DROP INDEX jobs.jobs_user_id;
--> statement-breakpoint
CREATE INDEX jobs_user_id ON jobs.jobs (user_id, id, n DESC);
--> statement-breakpoint
-- What a submit with an Idempotency-Key was answered, for 24 hours.
CREATE TABLE jobs.idempotency_keys (
  user_id text NOT NULL,
  key text NOT NULL,
  body_hash text NOT NULL,
  answer json NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, key)
);
--> statement-breakpoint
CREATE INDEX idempotency_keys_created ON jobs.idempotency_keys (created_at);
--> statement-breakpoint
-- One login: its newest refresh token, and the one before it, which answers a little longer.
CREATE TABLE jobs.refresh_families (
  family text PRIMARY KEY,
  user_id text NOT NULL,
  current_id text NOT NULL,
  spent_id text NOT NULL,
  rotated_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
--> statement-breakpoint
CREATE INDEX refresh_families_expires ON jobs.refresh_families (expires_at);
