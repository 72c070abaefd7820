-- Writes a session's document if it is still the one that was merged.
-- KEYS: documents, when they were last heard of. ARGV: field, SHA-1 of what was merged ('' when there was none), document, last heard of
local now = redis.call('HGET', KEYS[1], ARGV[1])
if (now and redis.sha1hex(now) or '') ~= ARGV[2] then
	return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1
