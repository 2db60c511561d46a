-- Release an execution and requeue its report. Returns the outcome, or '' if another execution has the report.
-- The lease may have expired, if no sweep has noticed it yet: the caller has ended the process of the execution.
-- ARGV[2..6]: id, execution, now, 1 if the execution counts or 0 if it does not, and the error of
-- the report where this was its last execution.
local id, execution = ARGV[2], ARGV[3]
require_type('list', keys.queued)
require_type('zset', keys.started, keys.files)
require_end(id, 'failed')
local key, holder = job_key(id), find_holder(id)
local is_started = redis.call('ZSCORE', keys.started, id .. ':' .. execution)
forget_execution(id, execution)
if holder and holder ~= execution or not holder and not is_started then return '' end
redis.call('DEL', lease_key(id))
if read_job(id, 'status')[1] ~= 'started' then return '' end
if ARGV[5] == '0' then
  redis.call('HSET', key, 'executions', math.max(0, to_count(redis.call('HGET', key, 'executions')) - 1))
end
return requeue(id, ARGV[4], ARGV[6])
