-- How much of a replay waits is asked twice a second while it is open, whatever else waits for its webhook.
create index waiting_replays on webhooks.deliveries (origin_id) where origin = 'replay' and finished_at is null;
