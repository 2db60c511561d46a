-- Note how far a migration is, unless another worker has noted more in the meantime. Returns 1 if it is noted.
-- KEYS: schema. ARGV: number and cursor as they were read ('' for none), then the new ones.
local found = redis.call('HMGET', KEYS[1], 'number', 'cursor')
if (found[1] or '') ~= ARGV[1] or (found[2] or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'number', ARGV[3], 'cursor', ARGV[4])
return 1
