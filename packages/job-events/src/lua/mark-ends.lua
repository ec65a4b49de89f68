-- Marks jobs as finished whose end Redis has lost and Postgres still knows.
-- KEYS: 1 stream   ARGV: 1 the stream's last id as the caller read it, 2 time to live of a mark (ms),
--       then per job: finality key, id of its end, time of its end (ms)
-- Result: 1, or 0 where the stream has continued since: another replica has marked the jobs, and a job may have been
--         opened again.
-- The time is that of BullMQ's entry: entries up to it lead to this end and do not open the job again (append.lua).

local kind, last_ms, last_seq = inspect(KEYS[1])
if kind == 'none' or format(last_ms, last_seq) ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 3 do
  redis.call('SET', ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2], 'PX', ARGV[2])
end
return 1
