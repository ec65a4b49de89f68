-- The hidden webhook of jobs' own webhookUrls stands for all of a user's at one origin, so that they share its health; each
-- delivery has the URL that its job named. Hidden ones of before, of one URL each, keep what waits for them.
alter table webhooks.deliveries add column url text;
