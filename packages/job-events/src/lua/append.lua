-- Appends one batch of a queue's events to the stream, or does nothing.
-- KEYS: 1 relay position (hash), 2 stream, 3 epoch, 4 low-water mark
-- ARGV: 1 from.at, 2 from.read, 3 to.at, 4 to.read, 5 to.lost, 6 ms of the minimum id, 7 its seq,
--       8 retention ms, 9 history length, 10 history ttl ms, 11 finality ttl ms,
--       then per event: owner, history key, finality key, kind, payload
--       kind is 'open <ms of the entry>', 'final', 'final ?' where the same end may have been published before under an
--       id that is not known, 'other', or for a reconciliation 'open', 'concluded', 'concluded <id of the same end>',
--       each with ' >' and the id of the last event that the row has seen, or where Redis has lost the end
--       'concluded <id, or ?> <ms of the end>'
-- Result: {1, appended, dropped, repaired histories, first id, last id, {the number of each dropped event in the batch,
--         from 0}}; or {0, at, read, lost} where the position is not `from` (another replica was faster), or where the
--         minimum id is above the stream (Redis was restored to an earlier state: the ends that it has lost must be
--         marked and published again before anything else is; a batch of nothing but such ends is accepted).
-- Invariant: Lua does not roll back, so all that can fail is read and checked before the first write.
--            Each event is once in the stream and once, under the same id, in its owner's history.

local position = redis.call('HMGET', KEYS[1], 'at', 'read', 'lost')
local at, read, lost = position[1] or '0-0', position[2] or '0', position[3] or '0'
if at ~= ARGV[1] or read ~= ARGV[2] then return { 0, at, read, lost } end

local kind, last_ms, last_seq, first = inspect(KEYS[2])
if last_ms > MAX_INTEGER or last_seq > MAX_INTEGER then
  return redis.error_reply('ERR the stream holds an entry whose id is not an event id; open.lua removes it')
end
local minimum_ms, minimum_seq = tonumber(ARGV[6]), tonumber(ARGV[7])
local function has_lost_ends_only ()
  for i = 15, #ARGV, 5 do
    if not string.find(ARGV[i], '^concluded [%d%-?]+ %d+$') then return false end
  end
  return #ARGV > 11
end
if kind == 'stream' and above(minimum_ms, minimum_seq, last_ms, last_seq) then
  if not has_lost_ends_only() then return { 0, at, read, lost } end
  last_ms, last_seq = minimum_ms, minimum_seq
end
local epoch = redis.call('GET', KEYS[3])
local now = now_ms()

-- Which events are published: a finished job is final until it is opened again. A conclusion is always published: the
-- reconciliation knows that the row has not seen the end. Where the mark says that the end was published already, under
-- an id that was trimmed before the row could see it, the entry names that id: channels that have delivered it skip the
-- entry.
local published, dropped, final, marked, histories, ends, repeats, ended = {}, {}, {}, {}, {}, {}, {}, {}
local BYTE_C, BYTE_P, UNKNOWN = string.byte('c'), string.byte('p'), '?'
-- The id of the same end by the mark. It is that of an earlier end where the row has seen it, and was opened since, or
-- where an end that Redis has lost came at another time: Redis has lost the opening too.
local function same_end (final_key, ended_at, seen)
  local mark = redis.pcall('GET', final_key)
  local id = type(mark) == 'string' and string.match(mark, '^%d+%-%d+')
  if not id then return nil end
  if ended_at then return string.match(mark, ' (%d+)$') == ended_at and id or nil end
  if not seen then return id end
  local id_ms, id_seq = parse(id)
  local seen_ms, seen_seq = parse(seen)
  return above(id_ms, id_seq, seen_ms, seen_seq) and id or nil
end
-- Whether the entry that opens the job came before its end: a restored Redis has that entry once more.
local function led_to_end (final_key, what)
  local mark, ms = redis.pcall('GET', final_key), string.match(what, '%d+$')
  local ended_at = type(mark) == 'string' and string.match(mark, ' (%d+)$')
  return ended_at and ms and tonumber(ms) <= tonumber(ended_at)
end
for i = 12, #ARGV, 5 do
  local history_key, final_key, what = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if final[final_key] == nil then
    marked[final_key] = redis.call('EXISTS', final_key) == 1
    final[final_key] = marked[final_key]
  end
  local concluded = string.byte(what) == BYTE_C and string.match(what, '^concluded ?(.*)$') or nil
  local opens = string.byte(what, 2) == BYTE_P
    and not (final[final_key] and marked[final_key] and led_to_end(final_key, what))
  if not opens and not concluded and final[final_key] then
    dropped[#dropped + 1] = (i - 12) / 5
  else
    published[#published + 1] = i
    if concluded then
      local given, ended_at = string.match(concluded, '^[%d%-?]+'), string.match(concluded, ' (%d+)$')
      local is_certain = ended_at and given ~= UNKNOWN
      local by_mark = not is_certain and marked[final_key]
        and same_end(final_key, ended_at, string.match(concluded, '>(%d+%-%d+)$'))
      repeats[i] = by_mark or given
      ended[final_key] = ended_at
    elseif what == 'final ?' then
      repeats[i] = UNKNOWN
    end
    final[final_key] = what == 'final' or what == 'final ?' or concluded ~= nil
    if histories[history_key] == nil then histories[history_key] = redis.call('TYPE', history_key).ok end
  end
end

-- From here on only writes that cannot fail.
if kind == 'none' then
  -- Above the minimum, not at it: a position there belongs to the former data set.
  last_ms, last_seq = math.max(now, minimum_ms), minimum_seq + 1
  create(KEYS[2], last_ms, last_seq)
  epoch = false
end
if not epoch then redis.call('SET', KEYS[3], format(last_ms, last_seq)) end

local ms, seq = last_ms, last_seq
if #published > 0 and now > last_ms then ms, seq = now, -1 end
local first_id = format(ms, seq + 1)
local repaired = 0

local function add (key, id, payload, same)
  if same then return redis.pcall('XADD', key, 'MAXLEN', '~', ARGV[9], id, 'd', payload, 'r', same) end
  return redis.pcall('XADD', key, 'MAXLEN', '~', ARGV[9], id, 'd', payload)
end

-- Replaces a history that is not a stream, or whose ids are ahead; its raised count of added entries shows that events
-- are missing from it.
local function recreate (key, id, payload, same)
  redis.call('DEL', key)
  add(key, id, payload, same)
  redis.call('XSETID', key, id, 'ENTRIESADDED', '2', 'MAXDELETEDID', '0-0')
  repaired = repaired + 1
end

local touched = {}
for _, i in ipairs(published) do
  seq = seq + 1
  local id = format(ms, seq)
  local owner, history_key, payload = ARGV[i], ARGV[i + 1], ARGV[i + 4]
  local same = repeats[i]
  if same then
    redis.call('XADD', KEYS[2], id, 'u', owner, 'd', payload, 'r', same)
  else
    redis.call('XADD', KEYS[2], id, 'u', owner, 'd', payload)
  end
  if histories[history_key] ~= 'none' and histories[history_key] ~= 'stream' then
    recreate(history_key, id, payload, same)
  else
    local added = add(history_key, id, payload, same)
    if type(added) == 'table' and added.err then recreate(history_key, id, payload, same) end
  end
  if final[ARGV[i + 2]] then ends[ARGV[i + 2]] = same ~= UNKNOWN and same or id end
  histories[history_key] = 'stream'
  touched[history_key] = true
end
for history_key in pairs(touched) do redis.call('PEXPIRE', history_key, ARGV[10]) end
for final_key, is_final in pairs(final) do
  if is_final and ends[final_key] then
    -- The mark of an end that Redis had lost holds its time, for as long as the stream keeps events: the restored Redis
    -- has the entries that led to it once more (mark-ends.lua).
    if ended[final_key] then
      redis.call('SET', final_key, ends[final_key] .. ' ' .. ended[final_key], 'PX', ARGV[8])
    else
      redis.call('SET', final_key, ends[final_key], 'PX', ARGV[11])
    end
  elseif is_final then
    -- The mark of an end that Redis had lost lives longer than others.
    if redis.call('PTTL', final_key) < tonumber(ARGV[11]) then redis.call('PEXPIRE', final_key, ARGV[11]) end
  elseif marked[final_key] then
    redis.call('DEL', final_key)
  end
end
redis.call('HSET', KEYS[1], 'at', ARGV[3], 'read', ARGV[4], 'lost', ARGV[5])

-- Retention. The low-water mark is the highest id that may be trimmed: a consumer below it may have a gap.
local min_ms = now - tonumber(ARGV[8])
if first and parse(first) < min_ms then
  local highest = redis.call('XREVRANGE', KEYS[2], '(' .. format(min_ms, 0), '-', 'COUNT', 1)[1]
  local trimmed = redis.call('XTRIM', KEYS[2], 'MINID', '~', format(min_ms, 0))
  if trimmed > 0 and highest then redis.call('SET', KEYS[4], highest[1]) end
end

return { 1, #published, #dropped, repaired, first_id, format(ms, seq), dropped }
