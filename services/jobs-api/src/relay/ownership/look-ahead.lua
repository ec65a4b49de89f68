-- Finds the jobs that are added in a page of a queue's BullMQ events.
-- KEYS: 1 BullMQ's event stream   ARGV: 1 the last scanned entry, 2 the last entry of interest, 3 entries of a page
-- Result: {} if the last scanned entry was trimmed, and others perhaps with it; else
--         {last scanned entry, job, its `added`, job, its `added`, …}
-- Reads only.

local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3] + 1)
if not found[1] or found[1][1] ~= ARGV[1] then return {} end

local result = { found[#found][1] }
for i = 2, #found do
  local id, values = found[i][1], found[i][2]
  local fields = {}
  for j = 1, #values, 2 do fields[values[j]] = values[j + 1] end
  if fields['event'] == 'added' and fields['jobId'] then
    result[#result + 1] = fields['jobId']
    result[#result + 1] = id
  end
end
return result
