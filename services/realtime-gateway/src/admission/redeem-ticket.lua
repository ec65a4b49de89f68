-- Redeems a ticket: once for whoever brings it first, then for that stream alone when it comes back.
-- KEYS: 1 the ticket as it was issued, 2 the ticket once it was redeemed (place .. sealed token)
-- ARGV: 1 the place it is good for (32 bytes), 2 '1' where a stream comes back, 3 how long a redeemed one is kept (ms)
-- Result: {sealed token, 1 for the first time or 0}, or nil
-- What somebody else put there is no ticket.

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
