-- Samples of a job's progress, [[number, time, progress], ...]: the row collects some, and a line of the timeline takes
-- them. The row counts the progress that there was, and keeps the time of the newest. Columns without a default that is
-- computed: only the catalog changes, whatever the size of the tables. Replicas of the release before neither count nor
-- sample.
set local lock_timeout = '2s';
--> statement-breakpoint
alter table jobs.jobs
  add column progress_count integer not null default 0, add column progress_at_ms bigint, add column samples text;
--> statement-breakpoint
alter table jobs.timeline add column samples json;
--> statement-breakpoint
alter table jobs.timeline_kept add column samples json;
