-- Cancel a report. A waiting report ends at once; a running one is marked, and its worker ends it.
-- Returns the new status, '' if there is no report, or 'ended' if it had ended before. ARGV[2..3]: id, now.
local id, now = ARGV[2], ARGV[3]
local key = job_key(id)
local status = read_job(id, 'status')[1]
if not status then return '' end
if status == 'failed' and redis.call('HGET', key, 'cancelled_at') == now then return status end -- sent twice
if status ~= 'queued' and status ~= 'started' then return 'ended' end
if status == 'queued' then
  require_queue()
  require_end(id, 'failed')
end
redis.call('HSETNX', key, 'cancelled_at', now)
if status == 'started' then return 'started' end
unqueue(id)
finish_cancelled(id, now)
return 'failed'
