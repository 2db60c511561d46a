-- Make each of these reports stand in the queue once if it waits and no worker has taken it, else not at all.
-- Returns {id, outcome, ...}. ARGV[2..]: ids.
local times, taken, outcomes = {}, {}, {}
for _, id in ipairs(redis.call('LRANGE', keys.queued, 0, -1)) do times[id] = (times[id] or 0) + 1 end
for _, id in ipairs(redis.call('LRANGE', keys.intermediate, 0, -1)) do taken[id] = true end

for number = 2, #ARGV do
  local id = ARGV[number]
  local status, count = is_task_id(id) and read_job(id, 'status')[1], times[id] or 0
  local waits = status and not has_ended(status) and status ~= 'started'
  local outcome
  if count > 0 and (not waits or taken[id]) then
    redis.call('LREM', keys.queued, 0, id)
    if not is_task_id(id) then set_aside(keys.queued, id) end
    outcome = status and 'taken off the queue' or 'taken out of ' .. keys.queued
  elseif count > 1 then
    redis.call('LREM', keys.queued, 1 - count, id)
    outcome = 'queued once'
  elseif count == 0 and waits and not taken[id] and redis.call('EXISTS', lease_key(id)) == 0 then
    redis.call('HSET', job_key(id), 'status', 'queued')
    redis.call('RPUSH', keys.queued, id)
    outcome = 'queued'
  end
  if outcome then
    outcomes[#outcomes + 1] = id
    outcomes[#outcomes + 1] = outcome
  end
end
return outcomes
