-- Acquire the lease of a queued report. Returns the number of this execution; 0 if the report does not wait any more;
-- -1 if the queue is paused: then the report goes back to the front of the queue.
-- ARGV[2..6]: id, execution, now, worker, and the score among the started (RQ's; ours is the lease).
local id, execution, now, worker = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
require_queue()
require_type('zset', keys.started)
local status, executions = unpack(read_job(id, 'status', 'executions'))
if find_holder(id) == execution then return executions end -- sent twice
if status == 'queued' then
  if redis.call('EXISTS', settings.suspended) == 1 then
    unqueue(id)
    redis.call('LPUSH', keys.queued, id)
    return -1
  end
  if not redis.call('SET', lease_key(id), execution, 'NX', 'PX', settings.lease_ms) then return 0 end
else
  execution = nil
end
redis.call('LREM', keys.intermediate, 0, id)
redis.call('ZREM', keys.suspects, id)
if not execution then return 0 end
redis.call('ZADD', keys.started, ARGV[6], id .. ':' .. execution)
redis.call('HSET', job_key(id), 'status', 'started', 'started_at', now, 'worker_name', worker, 'percent', 0, 'stage', '',
           'executions', to_count(executions) + 1)
redis.call('HDEL', job_key(id), 'missed_starts')
return to_count(executions) + 1
