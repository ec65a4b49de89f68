-- A webhook: the user's own, the user's legacy webhookUrl, or the hidden one of a job's own webhookUrl.
create table webhooks.webhooks (
  id integer generated always as identity primary key,
  user_id text not null,
  kind text not null default 'own' check (kind in ('own', 'legacy', 'job')),
  url text not null,
  event_type text not null check (event_type in ('progress', 'completed', 'failed', 'all')),
  description text,
  status text not null default 'active' check (status in ('active', 'paused', 'disabled')),
  disabled_reason text,
  headers jsonb not null default '{}',
  progress_mode text not null default 'all' check (progress_mode in ('all', 'latest')),
  -- Told of what happens after this event id.
  since_ms bigint not null,
  since_seq bigint not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- Pending deliveries of a deleted webhook still have to be closed, so its row goes later.
  deleted_at timestamptz,
  -- Since when every attempt has failed, and how many.
  failing_since timestamptz,
  failures integer not null default 0,
  -- The circuit breaker, and Retry-After: no attempt before.
  open_until timestamptz
);
create index webhooks_of_user on webhooks.webhooks (user_id, id) where deleted_at is null;
create unique index legacy_webhook_of_user on webhooks.webhooks (user_id) where kind = 'legacy' and deleted_at is null;
create unique index job_webhook_of_url on webhooks.webhooks (user_id, md5(url)) where kind = 'job' and deleted_at is null;
--> statement-breakpoint
-- Signing secrets, encrypted. Those without a webhook are the user's legacy secret, which signs for kinds legacy and job.
create table webhooks.secrets (
  id bigint generated always as identity primary key,
  user_id text not null,
  webhook_id integer references webhooks.webhooks (id) on delete cascade,
  ciphertext text not null,
  created_at timestamptz not null default now(),
  -- Of a secret that was replaced: until then it signs beside its successor.
  expires_at timestamptz
);
create index secrets_of_webhook on webhooks.secrets (webhook_id);
create index legacy_secrets_of_user on webhooks.secrets (user_id) where webhook_id is null;
-- At most one is current.
create unique index current_secret_of_webhook on webhooks.secrets (webhook_id) where expires_at is null and webhook_id is not null;
create unique index current_legacy_secret_of_user on webhooks.secrets (user_id) where expires_at is null and webhook_id is null;
--> statement-breakpoint
-- The running dispatchers. What one has claimed is its own while its lease lasts: one row to renew, whatever it holds.
create table webhooks.claimants (
  id bigint generated always as identity primary key,
  host text not null,
  lease_until timestamptz not null
);
--> statement-breakpoint
-- How far ingest has come, per shard; `claimant` is the replica that does it now.
create table webhooks.positions (
  shard integer primary key,
  shards integer not null,
  event_ms bigint not null,
  event_seq bigint not null,
  claimant bigint
);
-- Events that were trimmed off the stream before ingest could read them.
create table webhooks.gaps (
  id bigint generated always as identity primary key,
  shard integer not null,
  reason text not null,
  from_ms bigint not null,
  from_seq bigint not null,
  to_ms bigint not null,
  to_seq bigint not null,
  found_at timestamptz not null default now()
);
--> statement-breakpoint
-- What was told to at least one webhook: the payload as it is posted, once.
create table webhooks.events (
  event_ms bigint not null,
  event_seq bigint not null,
  user_id text not null,
  type text not null,
  -- '<queue>:<job id>': deliveries of one chain go to a webhook in order.
  chain text not null,
  body text not null,
  primary key (event_ms, event_seq)
);
create index events_of_user on webhooks.events (user_id, event_ms, event_seq);
--> statement-breakpoint
create table webhooks.deliveries (
  id bigint generated always as identity primary key,
  webhook_id integer not null,
  event_ms bigint not null,
  event_seq bigint not null,
  origin text not null default 'event' check (origin in ('event', 'redeliver', 'replay', 'test')),
  -- Of redeliver: the delivery; of replay: the replay.
  origin_id bigint,
  type text not null,
  -- Null outside the order: redeliver, replay and test.
  chain text,
  state text not null check (state in ('pending', 'delivered', 'failed', 'superseded', 'closed')),
  attempts smallint not null default 0,
  due_at timestamptz not null default now(),
  claim bigint,
  -- Of the last attempt.
  status smallint,
  error_class text,
  -- Why it was closed.
  reason text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  -- Of a test only, which has no event.
  message_id text,
  body text
-- Claims and their release rewrite a row in place (HOT): room for it, and no index on `claim`.
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
create unique index one_delivery_per_event on webhooks.deliveries (webhook_id, event_ms, event_seq) where origin = 'event';
create index due_deliveries on webhooks.deliveries (webhook_id, due_at, id) where state = 'pending';
create index pending_chains on webhooks.deliveries (webhook_id, chain, event_ms, event_seq) where state = 'pending' and chain is not null;
create index deliveries_of_webhook on webhooks.deliveries (webhook_id, id);
--> statement-breakpoint
create table webhooks.attempts (
  delivery_id bigint not null,
  n smallint not null,
  started_at timestamptz not null,
  dns_ms integer,
  connect_ms integer,
  ttfb_ms integer,
  total_ms integer not null,
  status smallint,
  error_class text,
  message text,
  response_headers jsonb,
  response_body text,
  primary key (delivery_id, n)
);
create index attempts_by_age on webhooks.attempts using brin (started_at);
--> statement-breakpoint
-- `POST /webhooks/:id/replay`: what was told after `since` is told again, page by page, up to the newest event at the request.
create table webhooks.replays (
  id bigint generated always as identity primary key,
  webhook_id integer not null,
  at_ms bigint not null,
  at_seq bigint not null,
  until_ms bigint not null,
  until_seq bigint not null,
  told integer not null default 0,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index open_replays on webhooks.replays (id) where finished_at is null;
--> statement-breakpoint
-- A webhook as ingest and delivery see it: with what is needed to post to it.
create view webhooks.targets as
select w.id, w.user_id, w.kind, w.url, w.event_type, w.status, w.headers, w.progress_mode, w.since_ms, w.since_seq,
  w.failures, coalesce((extract(epoch from w.open_until) * 1000)::bigint, 0) as open_until,
  case when w.kind = 'own'
    then array(select s.ciphertext from webhooks.secrets s
      where s.webhook_id = w.id and (s.expires_at is null or s.expires_at > now()) order by s.id desc)
    else array(select s.ciphertext from webhooks.secrets s
      where s.webhook_id is null and s.user_id = w.user_id and (s.expires_at is null or s.expires_at > now()) order by s.id desc)
  end as ciphertexts
from webhooks.webhooks w
where w.deleted_at is null;
