-- What a bulk redelivery has made, for the filter `bulkId`: a row for each page of at most 500 deliveries. A table of its own
-- and not a column of `deliveries`, so that an event costs what it did. It is new and empty, and the foreign key has nothing
-- to check: this takes a moment. Dispatchers of the release before make deliveries without a row here.
create table webhooks.bulk_pages (
  bulk bigint not null references webhooks.bulks (n) on delete cascade,
  first bigint not null,
  last bigint not null,
  -- Ids of the new deliveries, between `first` and `last`; other deliveries may be between them.
  deliveries bigint[] not null
);
create index bulk_pages_of_bulk on webhooks.bulk_pages (bulk, last);
