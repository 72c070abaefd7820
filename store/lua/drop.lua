-- Removes a session's document if it is still the one that was looked at.
-- KEYS: documents, when they were last heard of. ARGV: field, SHA-1 of what was looked at
local now = redis.call('HGET', KEYS[1], ARGV[1])
if now and redis.sha1hex(now) ~= ARGV[2] then
	return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
