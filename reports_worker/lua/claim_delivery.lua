-- Take the delivery that is due first, and make it due again later, should this worker die with it.
-- Returns nil if none is due, else {id, number of the ending, values of the fields}.
-- ARGV[2..]: seconds until it is due again, then the fields.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', keys.deliveries, '-inf', server_time(), 'LIMIT', 0, 10)) do
  local found = redis.call('HMGET', job_key(id), 'status', 'callback_url', 'endings')
  if has_ended(found[1]) and found[2] and found[3] then
    redis.call('ZADD', keys.deliveries, server_time(ARGV[2]), id)
    return {id, found[3], redis.call('HMGET', job_key(id), unpack(ARGV, 3))}
  end
  redis.call('ZREM', keys.deliveries, id)
end
return false
