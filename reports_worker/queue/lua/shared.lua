-- Placed before the script that runs, and after the names of the fields that scripts remove (`job_hash.TABLE`).
-- KEYS[1..12] and ARGV[1] are the same for all scripts that use it.
local keys = {
  queued = KEYS[1], intermediate = KEYS[2], started = KEYS[3], finished = KEYS[4], failed = KEYS[5],
  registry = KEYS[6], expiry = KEYS[7], suspects = KEYS[8], queues = KEYS[9],
  deliveries = KEYS[10], sweep = KEYS[11], files = KEYS[12],
}
-- prefixes of the keys that belong to one report, limits, sentences
local settings = cjson.decode(ARGV[1])

local function job_key(id) return settings.job .. id end
local function lease_key(id) return settings.lease .. id end

-- Read a whole number that stands in Redis; 0 where something else does.
local function to_count(text)
  return tonumber(string.match(text or '', '^%d%d?%d?%d?%d?%d?$') or 0)
end

-- Read fields of a report; none where there is no report, or where its key holds another type.
local function read_job(id, ...)
  local found = redis.pcall('HMGET', job_key(id), ...)
  return found.err and {} or found
end

-- Find the execution that holds the lease of a report. A lease of another type than text is foreign, and is removed.
local function find_holder(id)
  local holder = redis.pcall('GET', lease_key(id))
  if type(holder) ~= 'table' then return holder end
  redis.call('DEL', lease_key(id))
  return false
end

-- Write a foreign member, which the caller removes from its key, into the quarantine. If that key holds another
-- type, the member is gone.
local function set_aside(key, member)
  redis.pcall('LPUSH', settings.foreign, key .. ' ' .. string.sub(member, 1, settings.longest_foreign))
  redis.pcall('LTRIM', settings.foreign, 0, settings.most_foreign - 1)
end

-- Limit a lease that no worker has written: without an end, its report would never run.
local function limit_lease(id)
  local left = redis.call('PTTL', lease_key(id))
  if left == -1 or left > settings.lease_ms then redis.call('PEXPIRE', lease_key(id), settings.lease_ms) end
end

local function server_seconds()
  return tonumber(redis.call('TIME')[1])
end

-- The server's clock to the millisecond, some seconds from now, as the score of a sorted set.
local function server_time(later)
  local now = redis.call('TIME')
  return string.format('%.3f', tonumber(now[1]) + tonumber(now[2]) / 1000000 + tonumber(later or 0))
end

-- Return whether a report with this status of RQ's, or none, has ended.
local function has_ended(status)
  return status == 'finished' or status == 'failed'
end

-- Remove RQ's entries of one execution.
local function forget_execution(id, execution)
  local member = id .. ':' .. execution
  redis.call('ZREM', keys.started, member)
  local worker = redis.pcall('HGET', settings.execution .. member, 'worker_name')
  if type(worker) == 'string' then redis.pcall('SREM', settings.worker .. worker .. ':executions', member) end
  redis.call('DEL', settings.execution .. member, settings.executions .. id)
end

-- Remove a report from every list in which it waits.
local function unqueue(id)
  redis.call('LREM', keys.queued, 0, id)
  redis.call('LREM', keys.intermediate, 0, id)
  redis.call('ZREM', keys.suspects, id)
end

-- Request a check that removes the files of this report that are not of its published execution.
local function tidy_files(id)
  redis.call('ZADD', keys.files, server_time(), id)
end

-- Forget the delivery of an earlier end, made or due.
local function forget_delivery(id)
  redis.call('ZREM', keys.deliveries, id)
  redis.call('HDEL', job_key(id), unpack(fields_cleared_by_end))
end

-- Make the delivery of this end due, if the report names a callback; any worker may send it.
local function queue_delivery(id)
  if redis.call('HEXISTS', job_key(id), 'callback_url') == 0 then return end
  forget_delivery(id)
  redis.call('HSET', job_key(id), 'endings', to_count(redis.call('HGET', job_key(id), 'endings')) + 1)
  redis.call('ZADD', keys.deliveries, server_time(), id)
end

-- Raise WRONGTYPE if a key that `finish` writes for this report holds another type.
local function require_end(id, status)
  require_type('zset', status == 'finished' and keys.finished or keys.failed, keys.expiry)
  if status == 'failed' then require_type('zset', keys.files) end
  if read_job(id, 'callback_url')[1] then require_type('zset', keys.deliveries) end
end

-- The one way in which a report ends; notifies waiting clients. `fields` is a flat list of names and values.
local function finish(id, status, ended_at, fields)
  local key = job_key(id)
  local expires = server_seconds() + settings.retention
  redis.call('HSET', key, 'status', status, 'ended_at', ended_at, unpack(fields))
  redis.call('ZADD', status == 'finished' and keys.finished or keys.failed, expires, id)
  redis.call('ZADD', keys.expiry, expires, id)
  redis.call('EXPIRE', key, settings.retention + 86400)
  if status == 'failed' then tidy_files(id) end
  queue_delivery(id)
  redis.call('PUBLISH', settings.ended, id)
end

local function finish_cancelled(id, now)
  finish(id, 'failed', now, {'reason', 'cancelled', 'error', settings.cancelled})
  return 'cancelled'
end

local function is_cancelled(id)
  return redis.call('HEXISTS', job_key(id), 'cancelled_at') == 1
end

-- Raise WRONGTYPE if a key that `unqueue` or another change of the queue writes holds another type.
local function require_queue()
  require_type('list', keys.queued, keys.intermediate)
  require_type('zset', keys.suspects)
end

-- Raise WRONGTYPE if a key that any change of any report writes holds another type.
local function require_all()
  require_queue()
  require_type('zset', keys.started, keys.finished, keys.failed, keys.registry, keys.expiry, keys.deliveries, keys.files)
end

-- Requeue a report whose execution was aborted, in front of the queue; or end it, if it was cancelled or was aborted
-- too often. `why` is its error then; the default error says that the worker died.
local function requeue(id, now, why)
  local key = job_key(id)
  tidy_files(id)
  if is_cancelled(id) then return finish_cancelled(id, now) end
  if to_count(redis.call('HGET', key, 'executions')) >= settings.most_executions then
    finish(id, 'failed', now, {'reason', 'abandoned', 'error', why or settings.abandoned})
    return 'abandoned'
  end
  redis.call('HSET', key, 'status', 'queued', 'percent', 0, 'stage', '', 'started_at', '', 'worker_name', '')
  redis.call('LPUSH', keys.queued, id)
  return 'queued'
end

-- Remove everything of a report except a lease that is held.
local function forget(id)
  unqueue(id)
  redis.call('ZREM', keys.registry, id)
  redis.call('ZREM', keys.finished, id)
  redis.call('ZREM', keys.failed, id)
  redis.call('ZREM', keys.expiry, id)
  redis.call('ZREM', keys.deliveries, id)
  redis.call('DEL', job_key(id))
  tidy_files(id)
end
