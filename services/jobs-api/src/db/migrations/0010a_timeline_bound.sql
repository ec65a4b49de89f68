-- The timeline becomes a table of days (0010b). All lines of before, and those of today and tomorrow, stay where they are:
-- in the first partition, which ends with the bound that this constraint sets. It reads the table once (2 s at 10^7
-- lines) without a lock that anybody waits for; the constraint itself, unverified, takes a moment.
set local lock_timeout = '2s';
--> statement-breakpoint
do $$
declare bound bigint;
begin
  select (greatest((extract(epoch from now()) * 1000)::bigint, max(event_ms)) / 86400000 + 2) * 86400000 into bound from jobs.timeline;
  execute format('alter table jobs.timeline add constraint timeline_bound check (event_ms < %s) not valid', bound);
end $$;
