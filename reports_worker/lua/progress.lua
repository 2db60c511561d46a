-- Say how far the execution that holds the lease is. KEYS: lease, job. ARGV: execution, percent, stage.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], 'percent', ARGV[2], 'stage', ARGV[3])
return 1
