-- Write the progress of the execution that holds the lease. KEYS: lease, job. ARGV: execution, percent, stage.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] or redis.pcall('HEXISTS', KEYS[2], 'status') ~= 1 then return 0 end
redis.call('HSET', KEYS[2], 'percent', ARGV[2], 'stage', ARGV[3])
return 1
