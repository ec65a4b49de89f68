CREATE SCHEMA IF NOT EXISTS jobs;
--> statement-breakpoint
-- json, not jsonb: it keeps what was told as it was told, \u0000 and the order of keys included.
-- A job is (queue, id, generation): ids of BullMQ's own counter come again. Ours are UUIDs and of generation 0-0.
-- state is the place in contracts' JOB_STATES; below 3 the job is open.
CREATE TABLE jobs.jobs (
  n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL,
  id text NOT NULL,
  generation_ms bigint NOT NULL DEFAULT 0,
  generation_seq bigint NOT NULL DEFAULT 0,
  user_id text NOT NULL,
  name text NOT NULL,
  state smallint NOT NULL DEFAULT 0,
  progress json,
  result json,
  result_truncated boolean NOT NULL DEFAULT false,
  failed_reason text,
  created_ms bigint NOT NULL,
  started_ms bigint,
  finished_ms bigint,
  attempts_made integer NOT NULL DEFAULT 0,
  attempts_max integer NOT NULL DEFAULT 1,
  event_ms bigint,
  event_seq bigint,
  ours boolean NOT NULL DEFAULT false,
  data json,
  options json,
  enqueued_at timestamptz,
  webhook_url text,
  cancel_requested_at timestamptz,
  looked_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
) WITH (fillfactor = 85);
--> statement-breakpoint
CREATE UNIQUE INDEX jobs_identity ON jobs.jobs (queue, id, generation_ms, generation_seq);
--> statement-breakpoint
CREATE INDEX jobs_user_id ON jobs.jobs (user_id, id);
--> statement-breakpoint
CREATE INDEX jobs_user ON jobs.jobs (user_id, created_ms DESC, n DESC);
--> statement-breakpoint
CREATE INDEX jobs_user_state ON jobs.jobs (user_id, state, created_ms DESC, n DESC);
--> statement-breakpoint
CREATE INDEX jobs_user_name ON jobs.jobs (user_id, name, created_ms DESC, n DESC);
--> statement-breakpoint
CREATE INDEX jobs_user_queue ON jobs.jobs (user_id, queue, created_ms DESC, n DESC);
--> statement-breakpoint
-- The outbox: what Redis has not taken, as far as is known.
CREATE INDEX jobs_outbox ON jobs.jobs (queue, n) WHERE ours AND enqueued_at IS NULL AND state < 3;
--> statement-breakpoint
CREATE INDEX jobs_open ON jobs.jobs (queue, n) WHERE state < 3;
--> statement-breakpoint
CREATE INDEX jobs_looked ON jobs.jobs (queue, looked_ms) WHERE state < 3;
--> statement-breakpoint
CREATE INDEX jobs_finished ON jobs.jobs (finished_ms) WHERE state >= 3;
--> statement-breakpoint
-- Where each follower of the job-event stream stands; moved by compare-and-set in the batch's own transaction.
CREATE TABLE jobs.positions (
  follower text PRIMARY KEY,
  event_ms bigint NOT NULL,
  event_seq bigint NOT NULL
) WITH (fillfactor = 50);
--> statement-breakpoint
INSERT INTO jobs.positions VALUES ('projector', 0, 0);
--> statement-breakpoint
-- Jobs of a user by state, moved in the transaction that moves the rows.
CREATE TABLE jobs.counts (
  user_id text NOT NULL,
  state smallint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (user_id, state)
) WITH (fillfactor = 70);
--> statement-breakpoint
-- Every told event but progress.
CREATE TABLE jobs.timeline (
  job bigint NOT NULL,
  event_ms bigint NOT NULL,
  event_seq bigint NOT NULL,
  type text NOT NULL,
  timestamp bigint NOT NULL,
  error text,
  PRIMARY KEY (job, event_ms, event_seq)
);
--> statement-breakpoint
-- Results and errors too large for an event. The relay writes them before the event, so there may be no row of jobs yet.
CREATE TABLE jobs.results (
  queue text NOT NULL,
  id text NOT NULL,
  generation_ms bigint NOT NULL,
  generation_seq bigint NOT NULL,
  result json,
  error text,
  stored_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (queue, id, generation_ms, generation_seq)
);
