-- Check some reports of the registry, and repair what disagrees with the record of the report.
-- Returns {ids of waiting reports}, {id, outcome, ...}. ARGV[2..]: now, ids.
require_all()
local now, waiting, outcomes, running = ARGV[2], {}, {}, {}
for _, member in ipairs(redis.call('ZRANGE', keys.started, 0, -1)) do
  running[string.match(member, '^[^:]*')] = true
end

local function note(id, outcome)
  outcomes[#outcomes + 1] = id
  outcomes[#outcomes + 1] = outcome
end

for number = 3, #ARGV do
  local id = ARGV[number]
  local key = job_key(id)
  local status = read_job(id, 'status')[1]
  if not status then
    forget(id)
    note(id, 'gone')
  elseif has_ended(status) then
    local place = status == 'finished' and keys.finished or keys.failed
    local expires = redis.call('ZSCORE', keys.expiry, id) or redis.call('ZSCORE', place, id)
      or server_seconds() + settings.retention
    if redis.call('ZADD', place, 'NX', expires, id) + redis.call('ZADD', keys.expiry, 'NX', expires, id) > 0 then
      note(id, 'kept until its time')
    end
  else
    -- RQ's own requeue leaves these entries behind.
    redis.call('PERSIST', key)
    redis.call('ZREM', keys.finished, id)
    redis.call('ZREM', keys.failed, id)
    redis.call('ZREM', keys.expiry, id)
    if status ~= 'started' then
      waiting[#waiting + 1] = id
    elseif not running[id] then
      if find_holder(id) then limit_lease(id) else note(id, requeue(id, now)) end
    end
  end
end
return {waiting, outcomes}
