-- Hand out reports of which files may have to go, a few at a time; nobody else is given them for a while.
-- KEYS: files. ARGV: job prefix, lease prefix, most, seconds until another may try.
-- Returns {id, score, status, execution whose files count, execution that holds the lease, ...}.
local now = redis.call('TIME')
local seconds = tonumber(now[1]) + tonumber(now[2]) / 1000000
local claimed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.3f', seconds), 'LIMIT', 0, ARGV[3])) do
  local again = string.format('%.3f', seconds + tonumber(ARGV[4]))
  redis.call('ZADD', KEYS[1], again, id)
  local known = redis.call('HMGET', ARGV[1] .. id, 'status', 'artifacts_at')
  for _, value in ipairs({id, again, known[1] or '', known[2] or '', redis.call('GET', ARGV[2] .. id) or ''}) do
    claimed[#claimed + 1] = value
  end
end
return claimed
