-- Delete a report, in whatever state. One that runs is hidden at once; its worker finds it gone and ends.
-- Returns 1, or 0 if there is none. ARGV[2]: id.
local id = ARGV[2]
if redis.call('EXISTS', job_key(id)) == 0 then return 0 end
forget(id)
redis.call('PUBLISH', settings.ended, id)
return 1
