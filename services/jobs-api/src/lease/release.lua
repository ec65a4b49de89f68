-- Releases a lease, so that its next holder need not wait until it expires.
-- KEYS: 1 lease   ARGV: 1 holder, or "<holder> <connection>" to release it only while that connection holds it

local current = redis.call('GET', KEYS[1])
if current and (current == ARGV[1] or string.match(current, '^%S+') == ARGV[1]) then
  return redis.call('DEL', KEYS[1])
end
return 0
