-- Redeems a ticket: the first time for any stream, then only for that same stream when it reconnects.
-- KEYS: 1 the ticket as issued, 2 the ticket after it was redeemed (scope .. sealed token)
-- ARGV: 1 the scope of the request (32 bytes), 2 '1' if a stream reconnects, 3 how long a redeemed ticket is kept (ms)
-- Result: {sealed token, 1 for the first time or 0}, or nil
-- A value of another type, written by another program, is not a ticket.

local function text (key)
  if redis.call('TYPE', key).ok ~= 'string' then return nil end
  return redis.call('GET', key)
end

local issued = text(KEYS[1])
if issued then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[1] .. issued, 'PX', ARGV[3])
  return { issued, 1 }
end
if ARGV[2] ~= '1' then return nil end
local redeemed = text(KEYS[2])
if not redeemed or string.sub(redeemed, 1, #ARGV[1]) ~= ARGV[1] then return nil end
return { string.sub(redeemed, #ARGV[1] + 1), 0 }
