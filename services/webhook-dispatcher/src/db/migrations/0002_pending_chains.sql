-- What waits of a chain, as what is not finished: those statements name `finished_at is null` and so fit no other index
-- of what is pending. Named by state they did, and where the statistics knew of nothing pending the planner found that
-- index as good, and read all that an endpoint had waiting.
drop index webhooks.pending_chains;
create index pending_chains on webhooks.deliveries (webhook_id, chain, event_ms, event_seq) where finished_at is null and chain is not null;
-- What waits is few among all that is kept, so statistics must be renewed long before a tenth has changed.
alter table webhooks.deliveries set (autovacuum_analyze_scale_factor = 0.005);
