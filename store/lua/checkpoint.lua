-- Moves the checkpoint forward and trims the log: what is older than it is kept for, never past the checkpoint.
-- KEYS: log, checkpoint. ARGV: checkpoint, its milliseconds, how long the log is kept (ms)
local function less(a, b) -- of decimal numbers too large for a double
	if #a ~= #b then
		return #a < #b
	end
	return a < b
end
local known = redis.call('GET', KEYS[2]) or '0'
if less(known, ARGV[1]) then
	redis.call('SET', KEYS[2], ARGV[1])
end
local time = redis.call('TIME')
local old = tonumber(time[1]) * 1000 - tonumber(ARGV[3])
local upto = math.min(old, tonumber(ARGV[2]))
if upto > 0 then
	redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', upto))
end
return 1
