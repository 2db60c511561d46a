-- Write a report whole: hash, registry and queue. A repetition of the same id changes nothing.
-- KEYS: job, registry, queues, queue. ARGV: id, then the job's fields and values.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('SADD', KEYS[3], KEYS[4])
redis.call('RPUSH', KEYS[4], ARGV[1])
return 1
