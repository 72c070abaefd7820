-- Puts a delivery into the log unless the event id of its source is known.
-- KEYS: log, what is known of this event id, newest created_at by source, duplicates
-- ARGV: sum of the body ('' without one), how long the id is known (ms), source, verdict, created_at,
--       the same but at most received_at, own entry (0 or 1), ms from which late, schema, entry, said, body
-- Returns the id in the log and the verdict, or '' and the sum that is known.
local known = redis.call('GET', KEYS[2])
if known then
	-- A write of this connection, too: so WAIT after it means that what was known is replicated.
	redis.call('INCR', KEYS[4])
	return {'', known}
end
local source, verdict, at, capped = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if ARGV[7] == '0' then
	local greatest = tonumber(redis.call('HGET', KEYS[3], source) or '0')
	if verdict == 'accepted' and at < greatest - tonumber(ARGV[8]) then
		verdict = 'late'
	end
	if capped > greatest then
		redis.call('HSET', KEYS[3], source, ARGV[6])
	end
end
local id = redis.call('XADD', KEYS[1], '*', 'v', ARGV[9], 't', verdict, 'd', ARGV[10], 's', ARGV[11], 'b', ARGV[12])
return {id, verdict}
