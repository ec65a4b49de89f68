-- Lists of deliveries over all webhooks, by job and by what was repeated. At 10,000,000 deliveries building deliveries_of_job
-- takes about 20 s (1.1 s at 510,000), each of the others, which index few rows, about 4 s. No delivery can be written
-- meanwhile: events wait in the stream, and the outcomes of attempts in the dispatchers, which write them again.
--
-- Who was notified about a job: by the id of the job alone, which is the part of the ordering key after the colon. Ids of
-- submitted jobs grow with time, so the index grows at its end.
create index deliveries_of_job on webhooks.deliveries ((substr(chain, strpos(chain, ':') + 1) collate "C"), id) where chain is not null;
-- Redeliveries and replays have no ordering key: they are found by their event, and by what they repeat.
create index repeated_deliveries on webhooks.deliveries (event_ms, event_seq, id) where origin in ('redeliver', 'replay');
create index deliveries_of_origin on webhooks.deliveries (origin_id, id) where origin_id is not null;
-- What was not delivered to anybody, for operators.
create index deliveries_by_state on webhooks.deliveries (state, id) where state in ('failed', 'superseded', 'closed');
--> statement-breakpoint
-- Deliveries of deleted webhooks stay visible for their retention, and so long their webhooks stay.
create index deleted_webhooks_of_user on webhooks.webhooks (user_id, deleted_at) where deleted_at is not null;
