-- The open jobs of a slot: a scheduler of every second has millions that ended.
CREATE INDEX jobs_slot_open ON jobs.jobs (queue, slot) WHERE slot IS NOT NULL AND state < 3;
