-- Bulk redeliveries. Both tables are new and empty: this takes no lock that anything waits for.
create table webhooks.bulks (
  n bigint generated always as identity primary key,
  id uuid not null,
  user_id text not null,
  action text not null,
  state text not null default 'waiting',
  matched integer not null default 0,
  done integer not null default 0,
  failed integer not null default 0,
  skipped integer not null default 0,
  errors json not null default '[]',
  reason text,
  idempotency_key text,
  body_hash text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  -- No items are left: it needs no more work.
  is_settled boolean not null default false
);
create unique index bulks_id on webhooks.bulks (id);
create index bulks_of_user on webhooks.bulks (user_id, n);
create unique index bulks_key on webhooks.bulks (user_id, idempotency_key) where idempotency_key is not null;
create index open_bulks on webhooks.bulks (user_id, n) where not is_settled;
--> statement-breakpoint
-- What a bulk redelivery has still to do. An item is deleted in the transaction that creates its delivery.
create table webhooks.bulk_items (
  bulk bigint not null,
  place integer not null,
  webhook_id integer not null,
  delivery bigint not null,
  -- The state of the delivery when the bulk redelivery was requested.
  seen text not null,
  primary key (bulk, place)
);
create index bulk_items_of_webhook on webhooks.bulk_items (bulk, webhook_id, place);
