-- Takes a lease that is free, or renews the holder's own.
-- KEYS: 1 lease   ARGV: 1 holder, 2 its connection or '', 3 ttl in ms
-- Result: '' if the holder has the lease now, else its current holder: "<holder> <connection>"

local current = redis.call('GET', KEYS[1])
if current and string.match(current, '^%S+') ~= ARGV[1] then return current end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return ''
