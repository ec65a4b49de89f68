-- The constraint is verified (2 s at 10^7 lines) while the timeline is written: so that the table can become the first
-- partition without being read under a lock. All that follows changes the catalog alone.
alter table jobs.timeline validate constraint timeline_bound;
--> statement-breakpoint
set local lock_timeout = '2s';
--> statement-breakpoint
alter table jobs.timeline rename to timeline_before;
--> statement-breakpoint
alter index jobs.timeline_pkey rename to timeline_before_pkey;
--> statement-breakpoint
-- A partition per UTC day of the event. Days are added by the service, and dropped whole; replicas of the release before
-- write and read the same table.
create table jobs.timeline (like jobs.timeline_before including defaults) partition by range (event_ms);
--> statement-breakpoint
alter table jobs.timeline add primary key (job, event_ms, event_seq);
--> statement-breakpoint
do $$
declare bound text;
begin
  select substring(pg_get_constraintdef(oid) from '\d{10,}') into bound from pg_constraint
  where conrelid = 'jobs.timeline_before'::regclass and conname = 'timeline_bound';
  execute format('alter table jobs.timeline attach partition jobs.timeline_before for values from (minvalue) to (%s)', bound);
end $$;
--> statement-breakpoint
alter table jobs.timeline_before drop constraint timeline_bound;
--> statement-breakpoint
-- Lines outside of all days: of a clock that ran ahead.
create table jobs.timeline_default partition of jobs.timeline default;
--> statement-breakpoint
-- Lines of jobs that outlive their day: copied before it is dropped.
create table jobs.timeline_kept (like jobs.timeline including all);
