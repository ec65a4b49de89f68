-- The constraint is verified (3 s at 10^7 rows of 300 bytes) while the table is written: so that it can become the first
-- partition without being read under a lock. All that follows changes the catalog alone.
alter table webhooks.events validate constraint events_bound;
--> statement-breakpoint
set local lock_timeout = '2s';
--> statement-breakpoint
alter table webhooks.events rename to events_before;
alter index webhooks.events_pkey rename to events_before_pkey;
alter index webhooks.events_of_user rename to events_before_of_user;
--> statement-breakpoint
-- A partition per UTC day of the event. Days are added by the service, and dropped whole; dispatchers of the release
-- before write and read the same table.
create table webhooks.events (like webhooks.events_before including defaults) partition by range (event_ms);
alter table webhooks.events add primary key (event_ms, event_seq);
create index events_of_user on webhooks.events (user_id, event_ms, event_seq);
--> statement-breakpoint
do $$
declare bound text;
begin
  select substring(pg_get_constraintdef(oid) from '\d{10,}') into bound from pg_constraint
  where conrelid = 'webhooks.events_before'::regclass and conname = 'events_bound';
  execute format('alter table webhooks.events attach partition webhooks.events_before for values from (minvalue) to (%s)', bound);
end $$;
--> statement-breakpoint
alter table webhooks.events_before drop constraint events_bound;
-- Events outside of all days: of a clock that ran ahead.
create table webhooks.events_default partition of webhooks.events default;
