-- The running dispatchers and the positions of the shards get the names that the code has for them. Dispatchers of the
-- release before use the views under the former names while both releases run; the next release drops the views.
alter table webhooks.claimants rename to workers;
alter index webhooks.claimants_pkey rename to workers_pkey;
alter table webhooks.workers rename column guarded to has_lock;
create view webhooks.claimants as select id, host, lease_until, has_lock as guarded from webhooks.workers;
--> statement-breakpoint
alter table webhooks.positions rename to shard_positions;
alter index webhooks.positions_pkey rename to shard_positions_pkey;
alter table webhooks.shard_positions rename column shards to shard_count;
alter table webhooks.shard_positions rename column claimant to worker_id;
create view webhooks.positions as
select shard, shard_count as shards, event_ms, event_seq, worker_id as claimant from webhooks.shard_positions;
