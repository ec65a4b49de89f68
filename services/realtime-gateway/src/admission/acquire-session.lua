-- Takes a seat for a user's new session, counted over all replicas.
-- KEYS: 1 the user's seats (hash: replica -> count), 2 the replicas (sorted set: replica -> last sign of life, ms)
-- ARGV: 1 this replica, 2 seats it holds with the new one, 3 most seats, 4 after how long a silent replica is dead (ms), 5 ttl of the seats (ms)
-- Result: 1 taken, 0 refused
-- What a replica holds that was killed is not counted once it has been silent; the clock is Redis' own.

-- What somebody else put there must not lift the bound, nor keep anybody out.
local function clear_junk (key, kind)
  local is = redis.call('TYPE', key).ok
  if is ~= kind and is ~= 'none' then redis.call('DEL', key) end
end
clear_junk(KEYS[1], 'hash')
clear_junk(KEYS[2], 'zset')

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], now, ARGV[1])

local taken = tonumber(ARGV[2])
local seats = redis.call('HGETALL', KEYS[1])
for i = 1, #seats, 2 do
  local seen = redis.call('ZSCORE', KEYS[2], seats[i])
  if seats[i] ~= ARGV[1] and seen and tonumber(seen) > now - ARGV[4] then
    taken = taken + (tonumber(seats[i + 1]) or 0)
  end
end
if taken > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
