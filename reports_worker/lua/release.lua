-- Give up an execution and put its report back. Returns what became of it, or '' if the lease was lost before.
-- ARGV[2..5]: id, execution, now, and 1 if the execution counts, 0 if it is handed back unspent.
local id, execution = ARGV[2], ARGV[3]
forget_execution(id, execution)
if redis.call('GET', lease_key(id)) ~= execution then return '' end
redis.call('DEL', lease_key(id))
if redis.call('HGET', job_key(id), 'status') ~= 'started' then return '' end
if ARGV[5] == '0' then redis.call('HINCRBY', job_key(id), 'executions', -1) end
return put_back(id, ARGV[4])
