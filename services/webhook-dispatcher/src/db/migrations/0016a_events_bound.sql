-- The payloads become a table of days (0016b). All rows of before, and those of today and tomorrow, stay where they are:
-- in the first partition, which ends with the bound that this constraint sets. Unverified, it takes a moment; the newest
-- event is read from the primary key.
set local lock_timeout = '2s';
--> statement-breakpoint
do $$
declare bound bigint;
begin
  select (greatest((extract(epoch from now()) * 1000)::bigint, max(event_ms)) / 86400000 + 2) * 86400000 into bound from webhooks.events;
  execute format('alter table webhooks.events add constraint events_bound check (event_ms < %s) not valid', bound);
end $$;
