-- Extend the lease of the execution that holds it. KEYS: lease. ARGV: execution, milliseconds.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
