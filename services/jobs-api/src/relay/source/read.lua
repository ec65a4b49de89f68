-- Reads a queue's BullMQ events after an id, with the state of the stream at that moment.
-- KEYS: 1 BullMQ's event stream   ARGV: 1 id, 2 most entries, 3 most bytes (a single entry may be larger)
-- Result: {entries, entries-added, length, last id}; zeros and '0-0' if there is no stream
-- A page never ends between a `removed` and the `deduplicated` after it, which names the successor: BullMQ writes both
-- in one script, so a reader that sees the first finds the other.
-- Reads only. One step, so that entries-added and length show exactly how much was trimmed before the first entry.

if redis.call('EXISTS', KEYS[1]) == 0 then return { {}, 0, 0, '0-0' } end

local info = redis.call('XINFO', 'STREAM', KEYS[1])
local facts = {}
for i = 1, #info, 2 do facts[info[i]] = info[i + 1] end

local found = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local entries, bytes = {}, 0
for i, entry in ipairs(found) do
  for _, text in ipairs(entry[2]) do bytes = bytes + #text end
  if i > 1 and bytes > tonumber(ARGV[3]) then break end
  entries[i] = entry
end

-- `removed`, then in BullMQ 5 `debounced`, then `deduplicated`
local belongs = { deduplicated = true, debounced = true }
local function event_of (entry) return entry and entry[2][2] end

while event_of(entries[#entries]) == 'removed' or event_of(entries[#entries]) == 'debounced' do
  local after = found[#entries + 1] or redis.call('XRANGE', KEYS[1], '(' .. entries[#entries][1], '+', 'COUNT', 1)[1]
  if not belongs[event_of(after)] then break end
  entries[#entries + 1] = after
end
return { entries, facts['entries-added'], facts['length'], facts['last-generated-id'] }
