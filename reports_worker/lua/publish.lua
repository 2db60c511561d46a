-- End a report, if this execution still holds its lease. Returns 1 if it did.
-- A cancel that was acknowledged comes first: such a report never completes.
-- ARGV[2..]: id, execution, now, status (finished or failed), then fields and values.
local id, execution = ARGV[2], ARGV[3]
if redis.call('GET', lease_key(id)) ~= execution then return 0 end
redis.call('DEL', lease_key(id))
forget_execution(id, execution)
if redis.call('EXISTS', job_key(id)) == 0 then return 0 end
if is_cancelled(id) then
  finish_cancelled(id, ARGV[4])
else
  finish(id, ARGV[5], ARGV[4], {unpack(ARGV, 6)})
end
return 1
