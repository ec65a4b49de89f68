-- What relay, reconciliation, outbox and projector had to skip, and why: `select * from jobs.bad_items where job_id = …`.
CREATE TABLE jobs.bad_items (
  consumer text NOT NULL,
  queue text NOT NULL,
  -- The id of BullMQ's entry, of the job event, or of the row.
  item text NOT NULL,
  job_id text,
  reason text NOT NULL,
  times integer NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, queue, item)
);
--> statement-breakpoint
CREATE INDEX bad_items_job ON jobs.bad_items (job_id);
--> statement-breakpoint
CREATE INDEX bad_items_last ON jobs.bad_items (last_at);
