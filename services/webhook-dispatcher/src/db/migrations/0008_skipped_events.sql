-- Events of the stream that could not be read, or that Postgres refused: left out, so that they hold up nothing behind them.
create table webhooks.skipped_events (
  event_ms bigint not null,
  event_seq bigint not null,
  shard integer not null,
  reason text not null,
  found_at timestamptz not null default now(),
  primary key (event_ms, event_seq)
);
