-- Which events a job's own webhookUrl receives; null: the completion, as for jobs of the release before, whose replicas
-- neither write nor read it. A column without a default: no row is rewritten, whatever the size of the table.
ALTER TABLE jobs.jobs ADD COLUMN webhook_event_type text;
