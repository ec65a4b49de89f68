-- Moves one batch of a queue's events into the stream, or nothing at all.
-- KEYS: 1 relay position (hash), 2 stream, 3 epoch, 4 low-water mark
-- ARGV: 1 from.at, 2 from.read, 3 to.at, 4 to.read, 5 to.lost, 6 floor ms, 7 floor seq,
--       8 retention ms, 9 history length, 10 history ttl ms, 11 finality ttl ms,
--       then per event: owner, history key, finality key, kind, payload
--       kind is 'open <ms of the entry>', 'final', 'other', or of a reconciliation 'open', 'concluded',
--       'concluded <id of the same end>' or, where Redis has lost that end, 'concluded <id> <ms of the end>'
-- Result: {1, appended, dropped, repaired histories, first id, last id, {the number of each dropped event in the batch,
--         from 0}}, or {0, at, read, lost}
--         where the position is not `from`: another replica was faster; or where the floor is above the stream: Redis
--         was restored to an earlier state, and what it forgot is to be marked before anything is told.
-- Invariant: Lua does not roll back, so all that can fail is read and checked before the first write.
--            Each event stands once in the stream and once, under the same id, in its owner's history.

local position = redis.call('HMGET', KEYS[1], 'at', 'read', 'lost')
local at, read, lost = position[1] or '0-0', position[2] or '0', position[3] or '0'
if at ~= ARGV[1] or read ~= ARGV[2] then return { 0, at, read, lost } end

local kind, lastMs, lastSeq, first = look(KEYS[2])
if lastMs > MAX_INTEGER or lastSeq > MAX_INTEGER then
  return redis.error_reply('ERR the stream holds an id that is no event id; opening it removes that')
end
local floorMs, floorSeq = tonumber(ARGV[6]), tonumber(ARGV[7])
if kind == 'stream' and above(floorMs, floorSeq, lastMs, lastSeq) then return { 0, at, read, lost } end
local epoch = redis.call('GET', KEYS[3])
local now = now_ms()

-- What is told: a finished job is final until it is opened again. A conclusion is always told: whoever concludes knows
-- that the row has not seen the end. Where the mark says that it was told already, under an id that was trimmed before
-- the row could see it, the entry names that id: who has told it tells it no more.
local told, dropped, final, marked, histories, ends, repeats, ended = {}, {}, {}, {}, {}, {}, {}, {}
local BYTE_C, BYTE_P = string.byte('c'), string.byte('p')
local function same_end (finalKey)
  local mark = redis.pcall('GET', finalKey)
  return type(mark) == 'string' and string.match(mark, '^%d+%-%d+')
end
-- Whether what opens the job came before its end: a restored Redis has it once more.
local function led_to_end (finalKey, what)
  local mark, ms = redis.pcall('GET', finalKey), string.match(what, '%d+$')
  local ended = type(mark) == 'string' and string.match(mark, ' (%d+)$')
  return ended and ms and tonumber(ms) <= tonumber(ended)
end
for i = 12, #ARGV, 5 do
  local historyKey, finalKey, what = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if final[finalKey] == nil then
    marked[finalKey] = redis.call('EXISTS', finalKey) == 1
    final[finalKey] = marked[finalKey]
  end
  local concluded = string.byte(what) == BYTE_C and string.match(what, '^concluded ?(.*)$') or nil
  local opens = string.byte(what, 2) == BYTE_P and not (final[finalKey] and marked[finalKey] and led_to_end(finalKey, what))
  if not opens and not concluded and final[finalKey] then
    dropped[#dropped + 1] = (i - 12) / 5
  else
    told[#told + 1] = i
    if concluded then
      repeats[i] = (marked[finalKey] and same_end(finalKey)) or string.match(concluded, '^%d+%-%d+')
      ended[finalKey] = string.match(concluded, ' (%d+)$')
    end
    final[finalKey] = what == 'final' or concluded ~= nil
    if histories[historyKey] == nil then histories[historyKey] = redis.call('TYPE', historyKey).ok end
  end
end

-- From here on only writes that cannot fail.
if kind == 'none' then
  -- Above the floor, not at it: a position there is of the former life.
  lastMs, lastSeq = math.max(now, floorMs), floorSeq + 1
  create(KEYS[2], lastMs, lastSeq)
  epoch = false
end
if not epoch then redis.call('SET', KEYS[3], format(lastMs, lastSeq)) end

local ms, seq = lastMs, lastSeq
if #told > 0 and now > lastMs then ms, seq = now, -1 end
local firstId = format(ms, seq + 1)
local repaired = 0

local function add (key, id, payload, same)
  if same then return redis.pcall('XADD', key, 'MAXLEN', '~', ARGV[9], id, 'd', payload, 'r', same) end
  return redis.pcall('XADD', key, 'MAXLEN', '~', ARGV[9], id, 'd', payload)
end

-- A history of another kind, or one whose ids ran ahead, is begun anew; its
-- raised count of entries says that something is missing from it.
local function begin_anew (key, id, payload, same)
  redis.call('DEL', key)
  add(key, id, payload, same)
  redis.call('XSETID', key, id, 'ENTRIESADDED', '2', 'MAXDELETEDID', '0-0')
  repaired = repaired + 1
end

local touched = {}
for _, i in ipairs(told) do
  seq = seq + 1
  local id = format(ms, seq)
  local owner, historyKey, payload = ARGV[i], ARGV[i + 1], ARGV[i + 4]
  local same = repeats[i]
  if same then
    redis.call('XADD', KEYS[2], id, 'u', owner, 'd', payload, 'r', same)
  else
    redis.call('XADD', KEYS[2], id, 'u', owner, 'd', payload)
  end
  if histories[historyKey] ~= 'none' and histories[historyKey] ~= 'stream' then
    begin_anew(historyKey, id, payload, same)
  else
    local added = add(historyKey, id, payload, same)
    if type(added) == 'table' and added.err then begin_anew(historyKey, id, payload, same) end
  end
  if final[ARGV[i + 2]] then ends[ARGV[i + 2]] = same or id end
  histories[historyKey] = 'stream'
  touched[historyKey] = true
end
for historyKey in pairs(touched) do redis.call('PEXPIRE', historyKey, ARGV[10]) end
for finalKey, is in pairs(final) do
  if is and ends[finalKey] then
    -- Of an end that Redis had lost, the time stands in the mark, for as long as the stream keeps events: the restored
    -- Redis has what led to it once more (mark-ends.lua).
    if ended[finalKey] then
      redis.call('SET', finalKey, ends[finalKey] .. ' ' .. ended[finalKey], 'PX', ARGV[8])
    else
      redis.call('SET', finalKey, ends[finalKey], 'PX', ARGV[11])
    end
  elseif is then
    -- A mark of an end that Redis had lost stands longer than others.
    if redis.call('PTTL', finalKey) < tonumber(ARGV[11]) then redis.call('PEXPIRE', finalKey, ARGV[11]) end
  elseif marked[finalKey] then
    redis.call('DEL', finalKey)
  end
end
redis.call('HSET', KEYS[1], 'at', ARGV[3], 'read', ARGV[4], 'lost', ARGV[5])

-- Retention. The mark is the highest id that may be gone; a follower below it was overtaken.
local minMs = now - tonumber(ARGV[8])
if first and parse(first) < minMs then
  local highest = redis.call('XREVRANGE', KEYS[2], '(' .. format(minMs, 0), '-', 'COUNT', 1)[1]
  local trimmed = redis.call('XTRIM', KEYS[2], 'MINID', '~', format(minMs, 0))
  if trimmed > 0 and highest then redis.call('SET', KEYS[4], highest[1]) end
end

return { 1, #told, #dropped, repaired, firstId, format(ms, seq), dropped }
