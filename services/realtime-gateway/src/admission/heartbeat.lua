-- Records a heartbeat of a replica, and removes replicas that have been silent for long.
-- KEYS: 1 the replicas (sorted set: replica -> last heartbeat, ms)
-- ARGV: 1 this replica, 2 after how long a silent replica is removed (ms)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
