-- Statements find what is pending by either; rows that stand already are not read through.
alter table webhooks.deliveries add constraint pending_is_unfinished check ((state = 'pending') = (finished_at is null)) not valid;
