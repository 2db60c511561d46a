-- Requeue the reports of dead workers and remove expired reports. Returns {id, outcome, ...}.
-- ARGV[2..3]: now, and for how many seconds after the sweep of another worker this one does nothing.
local now, seconds, outcomes = ARGV[2], tonumber(server_time()), {}

local function note(id, outcome)
  outcomes[#outcomes + 1] = id
  outcomes[#outcomes + 1] = outcome
end

require_all()

-- One sweep at a time is enough for all workers. A value that is no number is ignored.
local found = redis.call('HMGET', keys.sweep, 'at', 'quiet_until')
local at, quiet_until = tonumber(found[1]), tonumber(found[2])
local pause = at and math.abs(seconds - at) or 0
if at and pause < tonumber(ARGV[3]) then return outcomes end
redis.call('HSET', keys.sweep, 'at', seconds)

-- After a long time without a sweep, the broker was away or stopped, and leases expired that workers still hold:
-- the workers get the time of a lease to acquire them again.
local quiet_seconds = settings.lease_ms / 1000
if pause > settings.unattended_seconds then
  quiet_until = seconds + quiet_seconds
  redis.call('HSET', keys.sweep, 'quiet_until', quiet_until)
end
if quiet_until and seconds < quiet_until and quiet_until <= seconds + quiet_seconds then return outcomes end

-- started, and its lease has run out
for _, member in ipairs(redis.call('ZRANGE', keys.started, 0, -1)) do
  local id, execution = string.match(member, '^(.-):(.+)$')
  local holder = is_task_id(id) and find_holder(id)
  if not is_task_id(id) then
    redis.call('ZREM', keys.started, member)
    set_aside(keys.started, member)
    note(member, 'taken out of ' .. keys.started)
  elseif holder ~= execution then
    forget_execution(id, execution)
    if holder then
      limit_lease(id)
    elseif read_job(id, 'status')[1] == 'started' then
      note(id, requeue(id, now))
    end
  end
end

-- Requeue a report that was taken and not started: in front the first time, then at the end, so that a report that
-- ends each worker delays no other; the last time it fails.
local function queue_again(id)
  local times = to_count(redis.call('HGET', job_key(id), 'missed_starts')) + 1
  if times >= settings.most_executions then
    finish(id, 'failed', now, {'reason', 'rejected', 'error', settings.never_started})
    return 'rejected'
  end
  redis.call('HSET', job_key(id), 'missed_starts', times)
  redis.call(times == 1 and 'LPUSH' or 'RPUSH', keys.queued, id)
  return 'queued'
end

-- taken off the queue and never started: acted on when seen twice, some seconds apart
local taken = redis.call('LRANGE', keys.intermediate, 0, -1)
for _, id in ipairs(taken) do
  local status = is_task_id(id) and read_job(id, 'status')[1]
  if status ~= 'queued' then
    redis.call('ZREM', keys.suspects, id)
    redis.call('LREM', keys.intermediate, 0, id)
    if not is_task_id(id) then set_aside(keys.intermediate, id) end
    if not status then note(id, 'taken out of ' .. keys.intermediate) end
  elseif find_holder(id) then
    limit_lease(id)
  else
    local first_seen = tonumber(redis.call('ZSCORE', keys.suspects, id))
    if not first_seen or first_seen > seconds then
      redis.call('ZADD', keys.suspects, seconds, id)
    elseif seconds - first_seen >= settings.suspicion_seconds then
      unqueue(id)
      note(id, queue_again(id))
    end
  end
end
if #taken == 0 then
  for _, id in ipairs(redis.call('ZRANGE', keys.suspects, 0, -1)) do
    if not is_task_id(id) then
      set_aside(keys.suspects, id)
      note(id, 'taken out of ' .. keys.suspects)
    end
  end
  redis.call('DEL', keys.suspects)
end

-- ended, and kept as long as it was to be kept
for _, id in ipairs(redis.call('ZRANGEBYSCORE', keys.expiry, '-inf', seconds, 'LIMIT', 0, 100)) do
  if not is_task_id(id) then
    redis.call('ZREM', keys.expiry, id)
    set_aside(keys.expiry, id)
    note(id, 'taken out of ' .. keys.expiry)
  elseif has_ended(read_job(id, 'status')[1] or 'failed') then
    forget(id)
    note(id, 'expired')
  else
    redis.call('ZREM', keys.expiry, id) -- requeued by RQ itself
  end
end
return outcomes
