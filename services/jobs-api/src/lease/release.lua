-- Gives a lease back, so that its next holder need not wait for its end.
-- KEYS: 1 lease   ARGV: 1 holder, or "<holder> <connection>" where it must be held over that connection still

local current = redis.call('GET', KEYS[1])
if current and (current == ARGV[1] or string.match(current, '^%S+') == ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0
