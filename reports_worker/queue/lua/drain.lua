-- Order a worker to end after its current report: stored for the worker, and published. Returns 0 if it is gone.
-- KEYS: worker. ARGV: now, the worker's channel, the order.
if redis.call('HEXISTS', KEYS[1], 'birth') == 0 or redis.call('HEXISTS', KEYS[1], 'death') == 1 then return 0 end
redis.call('HSETNX', KEYS[1], 'draining_since', ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
