-- End a report if this execution still holds its lease. Returns 1 if it ended the report, also when sent twice.
-- A cancel that was accepted comes first: such a report never completes.
-- ARGV[2..]: id, execution, now, status (finished or failed), then fields and values.
local id, execution = ARGV[2], ARGV[3]
local key = job_key(id)
local status, cancelled_at = unpack(read_job(id, 'status', 'cancelled_at'))
require_type('zset', keys.started)
if status then require_end(id, cancelled_at and 'failed' or ARGV[5]) else require_type('zset', keys.files) end
if find_holder(id) ~= execution then
  if read_job(id, 'published_by')[1] == execution .. ':' .. ARGV[5] then return 1 end
  tidy_files(id) -- this execution may have left some
  return 0
end
redis.call('DEL', lease_key(id))
forget_execution(id, execution)
if not status then
  tidy_files(id)
  return 0
end
if cancelled_at then
  finish_cancelled(id, ARGV[4])
else
  finish(id, ARGV[5], ARGV[4], {unpack(ARGV, 6)})
end
redis.call('HSET', key, 'published_by', execution .. ':' .. ARGV[5])
return 1
