-- Reads how often jobs have failed, and with what.
-- KEYS: hashes of jobs   ARGV: 1 bytes of an error to return, 2 bytes that a list of stacks may have
-- Result: for each job {failures, error of the last one, all stacks as BullMQ's JSON, '' if they are larger}; a key that
--         holds no hash has no failures
-- Reads only.

local result = {}
for i, key in ipairs(KEYS) do
  local found = redis.pcall('HMGET', key, 'atm', 'failedReason')
  if found.err then
    result[i] = { '0', '', '' }
  else
    local stacks = ''
    if redis.call('HSTRLEN', key, 'stacktrace') <= tonumber(ARGV[2]) then
      stacks = redis.call('HGET', key, 'stacktrace') or ''
    end
    result[i] = { found[1] or '0', string.sub(found[2] or '', 1, tonumber(ARGV[1])), stacks }
  end
end
return result
