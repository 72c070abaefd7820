-- Takes or keeps the lead. KEYS: leader, schema of the documents. ARGV: this replica, ms, the schema that it writes
-- Whoever writes an older schema than that of the documents would lose what it does not know.
if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[3]) then
	return 0
end
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
