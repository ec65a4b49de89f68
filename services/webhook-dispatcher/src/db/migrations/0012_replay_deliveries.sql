-- `deliveries` takes the place of `told`. Dispatchers of the release before write `told` while both releases run: the
-- trigger keeps the two equal. The next release drops it, and `told`.
alter table webhooks.replays add column deliveries integer not null default 0;
update webhooks.replays set deliveries = told;
--> statement-breakpoint
create function webhooks.sync_replay_deliveries () returns trigger language plpgsql as $$
begin
  if new.told is distinct from (case when tg_op = 'UPDATE' then old.told else 0 end) then
    new.deliveries := new.told;
  else
    new.told := new.deliveries;
  end if;
  return new;
end $$;
create trigger sync_replay_deliveries before insert or update on webhooks.replays
for each row execute function webhooks.sync_replay_deliveries();
