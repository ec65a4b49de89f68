-- The constraint is verified (3 s at 10^7 rows) while the table is written. All that follows changes the catalog alone.
alter table webhooks.attempts validate constraint attempts_bound;
--> statement-breakpoint
set local lock_timeout = '2s';
--> statement-breakpoint
-- The id of a delivery carries the UTC day of its creation: days since 1970 * 10^11 + a number that starts again after
-- 10^11. Ids keep growing, and stay below 2^53. Dispatchers of the release before use the default, too.
create sequence webhooks.delivery_numbers maxvalue 99999999999 cycle;
alter table webhooks.deliveries alter column id drop identity;
alter table webhooks.deliveries alter column id
  set default floor(extract(epoch from now()) / 86400)::bigint * 100000000000 + nextval('webhooks.delivery_numbers');
alter sequence webhooks.delivery_numbers owned by webhooks.deliveries.id;
--> statement-breakpoint
alter table webhooks.attempts rename to attempts_before;
alter index webhooks.attempts_pkey rename to attempts_before_pkey;
alter index webhooks.attempts_by_age rename to attempts_before_by_age;
--> statement-breakpoint
create table webhooks.attempts (like webhooks.attempts_before including defaults) partition by range (delivery_id);
alter table webhooks.attempts add primary key (delivery_id, n);
create index attempts_by_age on webhooks.attempts using brin (started_at);
--> statement-breakpoint
do $$
declare bound text;
begin
  select substring(pg_get_constraintdef(oid) from '\d{10,}') into bound from pg_constraint
  where conrelid = 'webhooks.attempts_before'::regclass and conname = 'attempts_bound';
  execute format('alter table webhooks.attempts attach partition webhooks.attempts_before for values from (minvalue) to (%s)', bound);
end $$;
--> statement-breakpoint
alter table webhooks.attempts_before drop constraint attempts_bound;
create table webhooks.attempts_default partition of webhooks.attempts default;
