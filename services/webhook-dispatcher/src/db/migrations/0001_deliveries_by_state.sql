-- A webhook's deliveries are listed by state. Those delivered are most rows and found on the way through
-- deliveries_of_webhook, pending ones through due_deliveries; the few others would be looked for in vain.
create index unhappy_deliveries on webhooks.deliveries (webhook_id, state, id) where state in ('failed', 'superseded', 'closed');
