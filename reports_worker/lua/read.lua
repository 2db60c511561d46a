-- Read the fields of a report and, while it waits, how many wait before it (-1: not among those looked at).
-- KEYS: job, queue. ARGV: how many to look at, then the fields, of which `status` is the first.
local values = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
local position = -1
if values[1] == 'queued' then
  local id = string.match(KEYS[1], '[^:]+$')
  position = redis.call('LPOS', KEYS[2], id, 'MAXLEN', ARGV[1]) or -1
end
values[#ARGV] = position
return values
