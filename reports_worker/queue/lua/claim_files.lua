-- Claim a few reports whose files must be checked; other workers get them only after some seconds.
-- KEYS: files. ARGV: most, seconds until another worker may claim them. Returns {id, score, ...}.
local now = redis.call('TIME')
local seconds = tonumber(now[1]) + tonumber(now[2]) / 1000000
local again, claimed = string.format('%.3f', seconds + tonumber(ARGV[2])), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.3f', seconds), 'LIMIT', 0, ARGV[1])) do
  redis.call('ZADD', KEYS[1], again, id)
  claimed[#claimed + 1] = id
  claimed[#claimed + 1] = again
end
return claimed
