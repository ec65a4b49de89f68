-- Since when a completion or failure has failed for good: once its endpoint answers again it is due once more. `recoveries`
-- counts how often it was, without the probes of an endpoint that still failed.
alter table webhooks.deliveries add column lost_at timestamptz, add column recoveries smallint not null default 0;
create index lost_deliveries on webhooks.deliveries (webhook_id, lost_at) where state = 'failed' and lost_at is not null;
-- When to look for such deliveries of a webhook: at its recovery, or for the next probe of it.
alter table webhooks.webhooks add column recover_at timestamptz;
create index recovering_webhooks on webhooks.webhooks (recover_at) where recover_at is not null;
