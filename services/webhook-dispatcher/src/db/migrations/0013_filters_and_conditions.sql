-- Webhooks of several types of events, and of some queues and names only. `event_types` counts beside event_type 'all'
-- alone, so that a dispatcher of the release before, which writes only event_type, still changes the types. While both
-- releases run, the ones before deliver every event to such a webhook: more than it selects, never less.
-- All statements of this migration take a moment, whatever the size of the tables: columns are added without a default.
alter table webhooks.webhooks
  add column event_types text[] check (event_types <@ array['progress', 'completed', 'failed']),
  add column filter jsonb;
create or replace view webhooks.targets as
select w.id, w.user_id, w.kind, w.url, w.event_type, w.status, w.headers, w.progress_mode, w.since_ms, w.since_seq,
  w.failures, coalesce((extract(epoch from w.open_until) * 1000)::bigint, 0) as open_until,
  case when w.kind = 'own'
    then array(select s.ciphertext from webhooks.secrets s
      where s.webhook_id = w.id and (s.expires_at is null or s.expires_at > now()) order by s.id desc)
    else array(select s.ciphertext from webhooks.secrets s
      where s.webhook_id is null and s.user_id = w.user_id and (s.expires_at is null or s.expires_at > now()) order by s.id desc)
  end as ciphertexts,
  (extract(epoch from w.updated_at) * 1000000)::bigint as changed_at,
  w.sealed_headers, w.event_types, w.filter
from webhooks.webhooks w
where w.deleted_at is null;
--> statement-breakpoint
-- Replays with conditions, which dispatchers of the release before must not run: they see the others, under the former
-- name, in a view that the next release drops.
alter table webhooks.replays rename to replay_requests;
alter index webhooks.replays_pkey rename to replay_requests_pkey;
alter table webhooks.replay_requests
  add column conditions jsonb,
  add column first_delivery_id bigint,
  add column stopped_at timestamptz;
create index replays_of_webhook on webhooks.replay_requests (webhook_id, id);
create view webhooks.replays as
select id, webhook_id, at_ms, at_seq, until_ms, until_seq, told, deliveries, created_at, finished_at
from webhooks.replay_requests
where conditions is null or not (conditions ?| array['status', 'eventTypes']);
