-- KEYS: log, record, checkpoint, schema of the documents
-- Returns the record's id, the last and the first id of the log (the last twice when all was trimmed), the
-- checkpoint and the schema.
local last, first = '0-0', '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
	local info = redis.call('XINFO', 'STREAM', KEYS[1])
	local entry
	for i = 1, #info, 2 do
		if info[i] == 'last-generated-id' then
			last = info[i + 1]
		elseif info[i] == 'first-entry' then
			entry = info[i + 1]
		end
	end
	first = entry and entry[1] or last
end
return {redis.call('GET', KEYS[2]) or '', last, first, redis.call('GET', KEYS[3]) or '0', redis.call('GET', KEYS[4]) or '0'}
