-- Read the fields of a report and, while it waits, how many wait before it (-1: not among those looked at).
-- Last comes what pauses the queue, if that concerns it. KEYS: job, queue, suspended. ARGV: how many to look at, then the fields, of which `status` is the first.
local values = redis.pcall('HMGET', KEYS[1], unpack(ARGV, 2))
if values.err then
  values = {} -- no report, but something else
  for number = 2, #ARGV do values[number - 1] = false end
end
local position, suspended = -1, false
if values[1] == 'queued' then
  local id = string.match(KEYS[1], '[^:]+$')
  position = redis.call('LPOS', KEYS[2], id, 'MAXLEN', ARGV[1]) or -1
  suspended = redis.pcall('GET', KEYS[3])
  if type(suspended) == 'table' then suspended = '' end -- whatever it is, it pauses
end
values[#ARGV] = position
values[#ARGV + 1] = suspended
return values
