-- Tells how many other secrets replicas have than this one, by their fingerprints.
-- KEYS: when each fingerprint was last told. ARGV: own fingerprint, 1 to tell it, how long one counts (ms)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[2] == '1' then
	redis.call('HSET', KEYS[1], ARGV[1], now)
end
local told, others = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #told, 2 do
	if tonumber(told[i + 1]) < now - tonumber(ARGV[3]) then
		redis.call('HDEL', KEYS[1], told[i])
	elseif told[i] ~= ARGV[1] then
		others = others + 1
	end
end
return others
