-- Set the scores of some members of the registry back to 0: lexical ranges need equal scores.
-- Returns how many scores were not 0. KEYS: registry. ARGV: most.
local mended = 0
for _, range in ipairs({{'-inf', '(0'}, {'(0', '+inf'}}) do
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], range[1], range[2], 'LIMIT', 0, ARGV[1] - mended)) do
    redis.call('ZADD', KEYS[1], 0, member)
    mended = mended + 1
  end
end
return mended
