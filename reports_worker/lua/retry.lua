-- Make a failed report again, under its id and with its crash protection restored.
-- Returns 'retried', '' if there is none, or the status that it has instead of failed. ARGV[2..3]: id, now.
local id, now = ARGV[2], ARGV[3]
local key = job_key(id)
local status = redis.call('HGET', key, 'status')
if not status then return '' end
if status == 'queued' or status == 'started' or status == 'finished' then return status end
redis.call('PERSIST', key)
redis.call('ZREM', keys.failed, id)
redis.call('ZREM', keys.expiry, id)
forget_delivery(id)
redis.call('HDEL', key, 'error', 'reason', 'summary', 'cancelled_at', 'executions', 'worker_name')
redis.call('HSET', key, 'status', 'queued', 'enqueued_at', now, 'started_at', '', 'ended_at', '', 'percent', 0, 'stage', '')
unqueue(id)
redis.call('RPUSH', keys.queued, id)
return 'retried'
