-- Writes a line into the audit trail. KEYS: trail, numbers of lines. ARGV: line, how many are kept
local n = redis.call('INCR', KEYS[2])
redis.call('ZADD', KEYS[1], n, n .. ' ' .. ARGV[1])
if n % 64 == 0 then
	redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[2] - 1)
end
return n
