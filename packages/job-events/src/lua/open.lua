-- Makes sure that the stream exists, that its ids continue above the minimum id, and that its epoch is known.
-- KEYS: 1 stream, 2 epoch   ARGV: 1 ms of the minimum id, 2 its seq
-- Result: {epoch, last id}
-- Invariant: no id is given out twice, and none below an id that Postgres has seen.

remove_foreign_entries(KEYS[1])
local kind, last_ms, last_seq = inspect(KEYS[1])
local minimum_ms, minimum_seq = tonumber(ARGV[1]), tonumber(ARGV[2])

if kind == 'none' then
  -- Above the minimum, not at it: a position there belongs to the former data set.
  last_ms, last_seq = math.max(now_ms(), minimum_ms), minimum_seq + 1
  create(KEYS[1], last_ms, last_seq)
elseif above(minimum_ms, minimum_seq, last_ms, last_seq) then
  last_ms, last_seq = minimum_ms, minimum_seq
  redis.call('XSETID', KEYS[1], format(last_ms, last_seq))
end
if kind == 'none' then redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[2], format(last_ms, last_seq), 'NX')
return { redis.call('GET', KEYS[2]), format(last_ms, last_seq) }
