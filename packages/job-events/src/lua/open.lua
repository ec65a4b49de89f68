-- Makes sure that the stream exists, that its ids go on above the floor, and that its epoch is known.
-- KEYS: 1 stream, 2 epoch   ARGV: 1 floor ms, 2 floor seq
-- Result: {epoch, last id}
-- Invariant: no id is ever given out twice, nor one below an id that Postgres has seen.

remove_strangers(KEYS[1])
local kind, lastMs, lastSeq = look(KEYS[1])
local floorMs, floorSeq = tonumber(ARGV[1]), tonumber(ARGV[2])

if kind == 'none' then
  -- Above the floor, not at it: a position there is of the former life.
  lastMs, lastSeq = math.max(now_ms(), floorMs), floorSeq + 1
  create(KEYS[1], lastMs, lastSeq)
elseif above(floorMs, floorSeq, lastMs, lastSeq) then
  lastMs, lastSeq = floorMs, floorSeq
  redis.call('XSETID', KEYS[1], format(lastMs, lastSeq))
end
if kind == 'none' then redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[2], format(lastMs, lastSeq), 'NX')
return { redis.call('GET', KEYS[2]), format(lastMs, lastSeq) }
