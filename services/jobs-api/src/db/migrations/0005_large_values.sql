-- Progress too large for an event is kept as results are; an error says whether it was cut off. Constant defaults: no
-- table is rewritten.
ALTER TABLE jobs.jobs ADD COLUMN progress_truncated boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE jobs.results ADD COLUMN progress json, ADD COLUMN error_truncated boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE jobs.timeline ADD COLUMN error_truncated boolean NOT NULL DEFAULT false;
