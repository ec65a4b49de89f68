-- Shared head of append.lua, covers.lua, mark-ends.lua and open.lua: ids and the state of the stream.
-- Ids are pairs of integers below 2^53, so Lua's doubles hold them exactly.

local MAX_INTEGER = 9007199254740991

local function parse (id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function format (ms, seq)
  return string.format('%.0f-%.0f', ms, seq)
end

local function above (a_ms, a_seq, b_ms, b_seq)
  return a_ms > b_ms or (a_ms == b_ms and a_seq > b_seq)
end

local function now_ms ()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A field of XINFO STREAM's flat reply.
local function field (info, name)
  for i = 1, #info, 2 do
    if info[i] == name then return info[i + 1] end
  end
end

-- Reads only: the stream's kind ('none' or 'stream'), its last id and its first entry's id.
local function inspect (stream)
  local kind = redis.call('TYPE', stream).ok
  if kind == 'none' then return kind, 0, 0, nil end
  local info = redis.call('XINFO', 'STREAM', stream)
  local ms, seq = parse(field(info, 'last-generated-id'))
  local first = field(info, 'first-entry')
  return kind, ms, seq, first and first[1]
end

-- Writes: removes entries above 2^53, which Tidings can neither read nor continue from, and sets the last id back below
-- them. Ids of Tidings are times; only an entry that was added by hand has such an id.
local function remove_foreign_entries (stream)
  if redis.call('TYPE', stream).ok ~= 'stream' then return end
  local info = redis.call('XINFO', 'STREAM', stream)
  local ms, seq = parse(field(info, 'last-generated-id'))
  if ms <= MAX_INTEGER and seq <= MAX_INTEGER then return end
  for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1000)) do
    local entry_ms, entry_seq = parse(entry[1])
    if entry_ms > MAX_INTEGER or entry_seq > MAX_INTEGER then redis.call('XDEL', stream, entry[1]) end
  end
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  redis.call('XSETID', stream, newest and newest[1] or '0-1')
end

-- Writes: an empty stream whose next id is above ms-seq. XADD and XDEL would do too, but would count an entry as added;
-- a group that is removed at once leaves no trace.
local function create (stream, ms, seq)
  redis.call('XGROUP', 'CREATE', stream, 'open', '$', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', stream, 'open')
  redis.call('XSETID', stream, format(ms, seq))
end
