-- Takes a seat for a user's new session, counted over all replicas.
-- KEYS: 1 the user's seats (hash: replica -> "count:time")
-- ARGV: 1 this replica, 2 seats it holds with the new one, 3 now (ms), 4 ttl (ms), 5 most seats
-- Result: 1 taken, 0 refused
-- A replica that was killed is no longer counted once its time is older than the ttl.

local taken, now, ttl = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local seats = redis.call('HGETALL', KEYS[1])
for i = 1, #seats, 2 do
  if seats[i] ~= ARGV[1] then
    local count, at = string.match(seats[i + 1], '^(%d+):(%d+)$')
    if not at or tonumber(at) < now - ttl then
      redis.call('HDEL', KEYS[1], seats[i])
    else
      taken = taken + tonumber(count)
    end
  end
end
if taken > tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
