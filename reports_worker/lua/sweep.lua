-- Put back what dead workers held and take away what has expired. Returns {id, what became of it, ...}.
-- ARGV[2..3]: now, and how many seconds ago another's sweep is recent enough to do nothing now.
local now, seconds, outcomes = ARGV[2], tonumber(server_time()), {}

local function note(id, outcome)
  outcomes[#outcomes + 1] = id
  outcomes[#outcomes + 1] = outcome
end

-- One sweep at a time is enough for all workers.
local at, quiet_until = unpack(redis.call('HMGET', keys.sweep, 'at', 'quiet_until'))
local pause = at and math.abs(seconds - tonumber(at)) or 0
if at and pause < tonumber(ARGV[3]) then return outcomes end
redis.call('HSET', keys.sweep, 'at', seconds)

-- Where nobody has swept for long, the broker was away or stood still, and leases ran out that are still held:
-- their holders are given the time of a lease to say so.
if pause > settings.unattended_seconds then
  quiet_until = seconds + settings.lease_ms / 1000
  redis.call('HSET', keys.sweep, 'quiet_until', quiet_until)
end
if quiet_until and seconds < tonumber(quiet_until) then return outcomes end

-- started, and its lease has run out
for _, member in ipairs(redis.call('ZRANGE', keys.started, 0, -1)) do
  local id, execution = string.match(member, '^(.-):(.+)$')
  local holder = id and redis.call('GET', lease_key(id))
  if not id then
    redis.call('ZREM', keys.started, member)
  elseif holder ~= execution then
    forget_execution(id, execution)
    if not holder and redis.call('HGET', job_key(id), 'status') == 'started' then note(id, put_back(id, now)) end
  end
end

-- taken off the queue and never started: acted on when seen twice, some seconds apart
for _, id in ipairs(redis.call('LRANGE', keys.intermediate, 0, -1)) do
  if redis.call('HGET', job_key(id), 'status') ~= 'queued' then
    redis.call('ZREM', keys.suspects, id)
    redis.call('LREM', keys.intermediate, 0, id)
  elseif redis.call('EXISTS', lease_key(id)) == 0 then
    local first_seen = redis.call('ZSCORE', keys.suspects, id)
    if not first_seen then
      redis.call('ZADD', keys.suspects, seconds, id)
    elseif seconds - tonumber(first_seen) >= settings.suspicion_seconds then
      redis.call('ZREM', keys.suspects, id)
      redis.call('LREM', keys.intermediate, 0, id)
      redis.call('LREM', keys.queued, 0, id)
      redis.call('LPUSH', keys.queued, id)
      note(id, 'queued')
    end
  end
end

-- ended, and kept as long as it was to be kept
for _, id in ipairs(redis.call('ZRANGEBYSCORE', keys.expiry, '-inf', seconds, 'LIMIT', 0, 100)) do
  if has_ended(redis.call('HGET', job_key(id), 'status') or 'failed') then
    forget(id)
    note(id, 'expired')
  else
    redis.call('ZREM', keys.expiry, id) -- asked for again, past us
  end
end
return outcomes
