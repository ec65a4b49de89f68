-- A user's finished jobs by their end: GET /jobs?sort=finished, and statistics over time. The included columns let
-- statistics and the filters by name and queue read the index alone. An entry is written once a job ends, when the row
-- gets entries in the other indexes anyway. Both are built under a lock that blocks writers: about 2 s for 1,000,000
-- rows, 20 s for 10,000,000; submits and the projection wait for it, and lose nothing.
CREATE INDEX jobs_user_finished ON jobs.jobs (user_id, state, finished_ms DESC, n DESC) INCLUDE (started_ms, name, queue) WHERE state >= 3;
--> statement-breakpoint
-- With n, so that an operator's list of all users reads it in order; retention reads it from its other end.
DROP INDEX jobs.jobs_finished;
--> statement-breakpoint
CREATE INDEX jobs_finished ON jobs.jobs (finished_ms DESC, n DESC) WHERE state >= 3;
