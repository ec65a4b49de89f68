-- A guarded claimant holds an advisory lock while it lives: with the lock its claims come free, long before its lease ends.
alter table webhooks.claimants add column guarded boolean not null default false;
