-- Write a report whole: hash, registry, queue and idempotency key. A repetition of the same id changes nothing.
-- KEYS: job, registry, queues, queue, idempotency key. ARGV: id, digest of the request ('' without an
-- idempotency key), seconds to keep that key, then the job's fields and values.
-- Returns the id of the report; or '' if the key was used for another request.
local id, digest = ARGV[1], ARGV[2]

-- Write a field as it is, if there is memory: a WAIT that follows then waits for what the first request wrote.
local function touch(key, field)
  redis.pcall('HSET', key, field, redis.call('HGET', key, field) or '')
end

if redis.call('EXISTS', KEYS[1]) == 1 then
  touch(KEYS[1], 'created_at')
  return id
end
if digest ~= '' then
  local kept = redis.call('HMGET', KEYS[5], 'id', 'digest')
  if kept[1] and kept[2] ~= digest then return '' end
  if kept[1] then
    touch(KEYS[5], 'id')
    return kept[1]
  end
  redis.call('HSET', KEYS[5], 'id', id, 'digest', digest)
  redis.call('EXPIRE', KEYS[5], ARGV[3])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('ZADD', KEYS[2], 0, id)
redis.call('SADD', KEYS[3], KEYS[4])
redis.call('RPUSH', KEYS[4], id)
return id
