-- Writes documents of accounts, if nothing was changed since they were looked at.
-- KEYS: documents, version. ARGV: the version that was looked at ('' for whichever, 'there' to write only what is there),
--       1 if others must hear of it, then fields each with its document ('' removes it)
local version = redis.call('GET', KEYS[2]) or '0'
if ARGV[1] ~= '' and ARGV[1] ~= 'there' and version ~= ARGV[1] then
	return 0
end
for i = 3, #ARGV, 2 do
	if ARGV[i + 1] == '' then
		redis.call('HDEL', KEYS[1], ARGV[i])
	elseif ARGV[1] ~= 'there' or redis.call('HGET', KEYS[1], ARGV[i]) then
		redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
	end
end
if ARGV[2] == '1' then
	redis.call('INCR', KEYS[2])
end
return 1
