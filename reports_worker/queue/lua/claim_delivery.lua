-- Claim the delivery that is due first. It is due again later, in case the worker dies.
-- Returns nil if none is due, {member} of a foreign member that was taken out, else
-- {id, number of the ending, host, values of the fields}.
-- Skips deliveries to busy hosts, and reads a bounded number of deliveries.
-- ARGV[2..]: seconds until the delivery is due again, how many to read, the busy hosts as JSON, then the fields.
local busy = {}
for _, host in ipairs(cjson.decode(ARGV[4])) do busy[host] = true end

local function find_host(url)
  return string.lower(string.match(url, '^%a+://(%[[^%]]*%])') or string.match(url, '^%a+://([^/?#:]*)') or '')
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', keys.deliveries, '-inf', server_time(), 'LIMIT', 0, ARGV[3])) do
  if not is_task_id(id) then
    redis.call('ZREM', keys.deliveries, id)
    set_aside(keys.deliveries, id)
    return {id}
  end
  local found = read_job(id, 'status', 'callback_url', 'endings')
  if not (has_ended(found[1]) and found[2] and to_count(found[3]) > 0) then
    redis.call('ZREM', keys.deliveries, id)
  else
    local host = find_host(found[2])
    if not busy[host] then
      redis.call('ZADD', keys.deliveries, server_time(ARGV[2]), id)
      return {id, found[3], host, redis.call('HMGET', job_key(id), unpack(ARGV, 5))}
    end
  end
end
return false
