-- Adds requests to a user's window, and opens the window where there is none.
-- KEYS: 1 the user's count   ARGV: 1 number of requests, 2 length of the window (ms)
-- Result: {requests in the window, ms until its end}

local count = redis.call('INCRBY', KEYS[1], ARGV[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return { count, ttl }
