-- Does a user's history hold everything after an id?
-- KEYS: 1 stream, 2 epoch, 3 the user's history   ARGV: 1 id ms, 2 id seq, 3 history ttl ms
-- Result: 1 or 0, then the stream's last id
-- It does iff the id is of this data set, not from the future, and nothing above it was trimmed or expired.

local ms, seq = tonumber(ARGV[1]), tonumber(ARGV[2])
local kind, lastMs, lastSeq = look(KEYS[1])
local epoch = redis.call('GET', KEYS[2])
local last = format(lastMs, lastSeq)
if kind == 'none' or not epoch then return { 0, last } end

local epochMs, epochSeq = parse(epoch)
if above(epochMs, epochSeq, ms, seq) or above(ms, seq, lastMs, lastSeq) then return { 0, last } end

local historyKind = redis.call('TYPE', KEYS[3]).ok
if historyKind ~= 'none' and historyKind ~= 'stream' then return { 0, last } end
local young = ms > now_ms() - tonumber(ARGV[3])
if historyKind == 'none' then return { young and 1 or 0, last } end

local info = redis.call('XINFO', 'STREAM', KEYS[3])
local first = field(info, 'first-entry')
if first then
  local firstMs, firstSeq = parse(first[1])
  if not above(firstMs, firstSeq, ms, seq) then return { 1, last } end
end
local untrimmed = field(info, 'entries-added') == field(info, 'length')
return { (untrimmed and young) and 1 or 0, last }
