-- Deliveries of former days become parts beside `deliveries` (decision 0040): once a day the dispatcher renames the table
-- and puts an empty one in its place. `all_deliveries` reads all parts. It has no rows of its own, but all indexes, so that
-- parts are merged in their order without a sort. Nothing is read or copied: this takes a moment, whatever the size.
set local lock_timeout = '2s';
--> statement-breakpoint
create table webhooks.all_deliveries (like webhooks.deliveries including defaults including indexes);
alter table webhooks.all_deliveries add constraint only_parts check (false) no inherit;
alter table webhooks.deliveries inherit webhooks.all_deliveries;
-- Of no part: it must outlive each of them.
alter sequence webhooks.delivery_numbers owned by none;
-- Dispatchers of the release before read `deliveries` alone. While one is running, no part is made.
alter table webhooks.workers add column reads_parts boolean not null default false;
