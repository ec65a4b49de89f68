-- Comes before BullMQ's reprocessJob: retries a job only while it has not been retried since it was read.
-- KEYS: those of reprocessJob   ARGV: those of reprocessJob (6), then 7 "<finishedOn>:<ats>" as it was read
-- Result: that of reprocessJob, or -99 if the job has started or ended since
local atNow = redis.call('HMGET', KEYS[1], 'finishedOn', 'ats')
if (atNow[1] or '') .. ':' .. (atNow[2] or '0') ~= ARGV[7] then return -99 end
