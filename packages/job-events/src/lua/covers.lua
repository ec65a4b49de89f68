-- Does a user's history hold all events after an id?
-- KEYS: 1 stream, 2 epoch, 3 the user's history   ARGV: 1 id ms, 2 id seq, 3 history ttl ms
-- Result: 1 or 0, then the stream's last id
-- It does if the id is of this data set, not from the future, and no event above it was trimmed or expired.

local ms, seq = tonumber(ARGV[1]), tonumber(ARGV[2])
local kind, last_ms, last_seq = inspect(KEYS[1])
local epoch = redis.call('GET', KEYS[2])
local last = format(last_ms, last_seq)
if kind == 'none' or not epoch then return { 0, last } end

local epoch_ms, epoch_seq = parse(epoch)
if above(epoch_ms, epoch_seq, ms, seq) or above(ms, seq, last_ms, last_seq) then return { 0, last } end

local history_kind = redis.call('TYPE', KEYS[3]).ok
if history_kind ~= 'none' and history_kind ~= 'stream' then return { 0, last } end
local young = ms > now_ms() - tonumber(ARGV[3])
if history_kind == 'none' then return { young and 1 or 0, last } end

local info = redis.call('XINFO', 'STREAM', KEYS[3])
local first = field(info, 'first-entry')
if first then
  local first_ms, first_seq = parse(first[1])
  if not above(first_ms, first_seq, ms, seq) then return { 1, last } end
end
local untrimmed = field(info, 'entries-added') == field(info, 'length')
return { (untrimmed and young) and 1 or 0, last }
