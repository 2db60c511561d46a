-- Run a failed report again, under its id and with all its executions.
-- Returns 'retried', '' if there is no report, or the status that it has instead of failed.
-- ARGV[2..4]: id, now, and a token that distinguishes a repetition of this request from another request.
local id, now, token = ARGV[2], ARGV[3], ARGV[4]
local key = job_key(id)
local status = read_job(id, 'status')[1]
if not status then return '' end
if status == 'queued' and redis.call('HGET', key, 'retry_token') == token then return 'retried' end
if status == 'queued' or status == 'started' or status == 'finished' then return status end
require_queue()
require_type('zset', keys.failed, keys.expiry, keys.deliveries, keys.files)
redis.call('PERSIST', key)
redis.call('ZREM', keys.failed, id)
redis.call('ZREM', keys.expiry, id)
forget_delivery(id)
redis.call('HDEL', key, unpack(fields_cleared_by_retry))
redis.call('HSET', key, 'status', 'queued', 'enqueued_at', now, 'retry_token', token, 'started_at', '', 'ended_at', '', 'percent', 0, 'stage', '')
tidy_files(id)
unqueue(id)
redis.call('RPUSH', keys.queued, id)
return 'retried'
