-- Of jobs that other producers added: the scheduler or the deduplication under which BullMQ has one pending job at most.
ALTER TABLE jobs.jobs ADD COLUMN slot text;
--> statement-breakpoint
CREATE INDEX jobs_slot ON jobs.jobs (queue, slot, n) WHERE slot IS NOT NULL;
--> statement-breakpoint
-- A release that does not know an event must not write a state of its own making. Older rows are not looked at.
ALTER TABLE jobs.jobs ADD CONSTRAINT jobs_state_known CHECK (state BETWEEN 0 AND 4) NOT VALID;
--> statement-breakpoint
-- Jobs whose place in the queue another one took, by the id that they had.
CREATE TABLE jobs.replaced (
  user_id text NOT NULL,
  queue text NOT NULL,
  id text NOT NULL,
  replaced_by text NOT NULL,
  replaced_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, id, queue)
);
--> statement-breakpoint
CREATE INDEX replaced_at ON jobs.replaced (replaced_at);
