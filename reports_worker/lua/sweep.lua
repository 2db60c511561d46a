-- Put back what dead workers held and take away what has expired. Returns {id, what became of it, ...}.
-- ARGV[2]: now.
local now, seconds, outcomes = ARGV[2], server_seconds(), {}

local function note(id, outcome)
  outcomes[#outcomes + 1] = id
  outcomes[#outcomes + 1] = outcome
end

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
  forget(id)
  note(id, 'expired')
end
return outcomes
