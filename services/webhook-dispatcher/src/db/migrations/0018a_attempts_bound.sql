-- The attempts become a table of days (0018b), by the id of their delivery, which will carry its day. As in 0016a; ids of
-- before are far below those of any day.
set local lock_timeout = '2s';
--> statement-breakpoint
do $$
begin
  execute format('alter table webhooks.attempts add constraint attempts_bound check (delivery_id < %s) not valid',
    (floor(extract(epoch from now()) / 86400)::bigint + 2) * 100000000000);
end $$;
