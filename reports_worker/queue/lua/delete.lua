-- Delete a report in any state. A running report is hidden at once; its worker finds no record and ends the run.
-- Returns 1, or 0 if there is no report.
-- ARGV[2..3]: id, and a token that distinguishes a repetition of this request from another request.
local id, done = ARGV[2], settings.deleted .. ARGV[3]
if redis.call('EXISTS', job_key(id)) == 0 then return redis.call('EXISTS', done) end
require_all()
forget(id)
redis.call('SET', done, id, 'EX', settings.deleted_seconds)
redis.call('PUBLISH', settings.ended, id)
return 1
