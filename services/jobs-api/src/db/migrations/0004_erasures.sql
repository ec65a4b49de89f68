-- Users whose data is to go. The user is forgotten here too once every service has finished: the times stay.
CREATE TABLE jobs.erasures (
  id uuid PRIMARY KEY,
  user_id text,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  jobs_api_at timestamptz,
  webhook_dispatcher_at timestamptz,
  -- The end of the stream when no row was found, and when that was: done once the projection has passed it.
  quiet_ms bigint,
  quiet_seq bigint,
  quiet_since timestamptz
);
--> statement-breakpoint
CREATE INDEX erasures_pending ON jobs.erasures (requested_at) WHERE user_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX refresh_families_user ON jobs.refresh_families (user_id);
