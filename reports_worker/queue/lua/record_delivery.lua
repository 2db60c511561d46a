-- Write the outcome of an attempt to deliver. Returns 1; or 0, having written nothing, if the report was deleted or
-- retried during the attempt, or if another worker has written the outcome of the same attempt.
-- ARGV[2..6]: id, number of the ending, attempts before, status of the delivery, seconds until the next attempt;
-- then fields and values.
local id, ending, attempts, status = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
require_type('zset', keys.deliveries)
local key = job_key(id)
local found = redis.call('HMGET', key, 'status', 'endings', 'callback_attempts')
if not has_ended(found[1]) or found[2] ~= ending or (found[3] or '0') ~= attempts then return 0 end
redis.call('HSET', key, 'callback_status', status, 'callback_attempts', attempts + 1, unpack(ARGV, 7))
if status == 'pending' then
  redis.call('ZADD', keys.deliveries, server_time(ARGV[6]), id)
else
  redis.call('ZREM', keys.deliveries, id)
end
return 1
