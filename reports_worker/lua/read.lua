-- Read the fields of a report and, while it waits, how many wait before it (-1: not among those looked at).
-- Last comes what pauses the queue, if that concerns it. KEYS: job, queue, suspended. ARGV: how many to look at, then the fields, of which `status` is the first.
local values = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
local position, suspended = -1, false
if values[1] == 'queued' then
  local id = string.match(KEYS[1], '[^:]+$')
  position = redis.call('LPOS', KEYS[2], id, 'MAXLEN', ARGV[1]) or -1
  suspended = redis.call('GET', KEYS[3])
end
values[#ARGV] = position
values[#ARGV + 1] = suspended
return values
