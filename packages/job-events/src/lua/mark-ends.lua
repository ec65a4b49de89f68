-- Marks jobs as finished whose end Redis has forgotten and Postgres still knows.
-- KEYS: 1 stream   ARGV: 1 the stream's last id as the caller saw it, 2 how long a mark stands (ms),
--       then per job: finality key, id of its end, when it ended (ms)
-- Result: 1, or 0 where the stream went on meanwhile: another replica has marked them, and a job may have been opened
--         again since.
-- The time is that of BullMQ's entry: entries up to it lead to this end, so they do not open the job again (append.lua).

local kind, lastMs, lastSeq = look(KEYS[1])
if kind == 'none' or format(lastMs, lastSeq) ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 3 do
  redis.call('SET', ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2], 'PX', ARGV[2])
end
return 1
