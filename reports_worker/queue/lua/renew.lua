-- Extend the lease of the execution that holds it. Returns 1; 0 if the lease is lost; 2 if the report was
-- cancelled or deleted. KEYS: lease, job. ARGV: execution, milliseconds.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local wanted = redis.pcall('HMGET', KEYS[2], 'status', 'cancelled_at')
if not wanted[1] or wanted[2] then return 2 end
return 1
