-- Trims the stream below an id, where its size demands it and not its age.
-- KEYS: 1 stream, 2 low-water mark   ARGV: 1 the lowest id that stays
-- Result: the number of trimmed entries
-- Exactly, not by whole nodes: where the first node holds one entry of yesterday and others of now, no cut between
-- nodes would remove any.

local highest = redis.call('XREVRANGE', KEYS[1], '(' .. ARGV[1], '-', 'COUNT', 1)[1]
local trimmed = redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
if trimmed > 0 and highest then redis.call('SET', KEYS[2], highest[1]) end
return trimmed
