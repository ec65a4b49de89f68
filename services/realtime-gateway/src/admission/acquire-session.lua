-- Counts a new session of a user, unless the user has too many over all replicas.
-- KEYS: 1 the user's sessions (hash: replica -> count), 2 the replicas (sorted set: replica -> last heartbeat, ms)
-- ARGV: 1 this replica, 2 its sessions of the user including the new one, 3 the maximum over all replicas,
--       4 after how long a silent replica counts as killed (ms), 5 ttl of the user's sessions (ms)
-- Result: 1 acquired, 0 refused
-- Sessions of a replica that has been silent for that long do not count. The clock is Redis' own.

-- A value of another type, written by another program, must neither lift the bound nor lock anybody out.
local function clear_junk (key, kind)
  local is = redis.call('TYPE', key).ok
  if is ~= kind and is ~= 'none' then redis.call('DEL', key) end
end
clear_junk(KEYS[1], 'hash')
clear_junk(KEYS[2], 'zset')

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], now, ARGV[1])

local count = tonumber(ARGV[2])
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
  local beat = redis.call('ZSCORE', KEYS[2], counts[i])
  if counts[i] ~= ARGV[1] and beat and tonumber(beat) > now - ARGV[4] then
    count = count + (tonumber(counts[i + 1]) or 0)
  end
end
if count > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
