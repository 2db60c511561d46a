-- Write a report whole: hash, registry, queue and idempotency key. A repetition of the same id changes nothing.
-- KEYS: job, registry, queues, queue, idempotency key, newest of the same request, schema. ARGV: id, digest of the
-- request ('' without an idempotency key), seconds to keep that key, seconds to remember the newest, the time since
-- when a report must have ended to serve instead of a new one ('' if none may), the number of the schema, then the
-- job's fields and values.
-- Returns {id of the report, status of an earlier one that serves or ''}; or {''} if the key was used for another
-- request.
local id, digest, since = ARGV[1], ARGV[2], ARGV[5]

-- Write a field as it is, if there is memory: a WAIT that follows then waits for the write of the first request.
local function touch(key, field)
  redis.pcall('HSET', key, field, redis.call('HGET', key, field) or '')
end

-- Find the newest report of the same request and its status, if it can serve: neither failed nor about to be.
local function find_earlier()
  local earlier = since ~= '' and redis.pcall('GET', KEYS[6])
  if not is_task_id(earlier) then return end
  local key = string.sub(KEYS[1], 1, -1 - #id) .. earlier
  local found = redis.pcall('HMGET', key, 'status', 'ended_at', 'cancelled_at')
  local status, ended_at, cancelled_at = unpack(found.err and {} or found)
  local is_made = (status == 'queued' or status == 'started') and not cancelled_at
  if not is_made and not (status == 'finished' and ended_at and ended_at >= since) then return end
  touch(key, 'created_at')
  return earlier, status
end

if redis.call('EXISTS', KEYS[1]) == 1 then
  touch(KEYS[1], 'created_at')
  return {id, ''}
end
require_type('zset', KEYS[2])
require_type('set', KEYS[3])
require_type('list', KEYS[4])
local kept = digest ~= '' and redis.pcall('HMGET', KEYS[5], 'id', 'digest')
if kept and (kept.err or kept[1] and not is_task_id(kept[1])) then
  redis.call('DEL', KEYS[5]) -- a foreign value
  kept = {}
end
if kept and kept[1] then
  if kept[2] ~= digest then return {''} end
  touch(KEYS[5], 'id')
  return {kept[1], ''}
end
local earlier, status = find_earlier()
if kept then
  redis.call('HSET', KEYS[5], 'id', earlier or id, 'digest', digest)
  redis.call('EXPIRE', KEYS[5], ARGV[3])
end
if earlier then return {earlier, status} end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
-- The first report of all says which schema the data are of. What stands there already is kept.
if redis.call('ZCARD', KEYS[2]) == 0 then redis.pcall('HSETNX', KEYS[7], 'number', ARGV[6]) end
redis.call('ZADD', KEYS[2], 0, id)
redis.call('SADD', KEYS[3], KEYS[4])
redis.call('RPUSH', KEYS[4], id)
redis.call('SET', KEYS[6], id, 'EX', ARGV[4])
return {id, ''}
