-- Begins a record: the documents hold everything that there is. Of two who do, the first counts.
-- KEYS: record, checkpoint, schema of the documents. ARGV: the id that was found ('' for none), the new one, schema
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[3], ARGV[3])
redis.call('DEL', KEYS[2])
return 1
