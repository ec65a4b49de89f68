-- What a bulk action has done, for the filter `bulkId` of lists: a row for each page of at most 200 jobs. New and empty, and the
-- foreign key has nothing to check: this takes a moment. While a jobs-api of the release before works on bulk actions, their
-- pages are not written.
CREATE TABLE jobs.bulk_pages (
  bulk bigint NOT NULL REFERENCES jobs.bulks (n) ON DELETE CASCADE,
  -- Numbers of the jobs that were retried or cancelled; some of the jobs may be gone.
  jobs bigint[] NOT NULL
);
--> statement-breakpoint
CREATE INDEX bulk_pages_of_bulk ON jobs.bulk_pages (bulk);
