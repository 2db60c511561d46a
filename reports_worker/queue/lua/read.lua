-- Read the fields of a report and, while it waits, how many reports wait before it (-1: more than were read).
-- The last value is the pause of the queue, for a waiting report. KEYS: job, queue, suspended.
-- ARGV: how many waiting reports to read, then the fields, of which `status` is the first.
local values = redis.pcall('HMGET', KEYS[1], unpack(ARGV, 2))
if values.err then
  values = {} -- the key holds another type
  for number = 2, #ARGV do values[number - 1] = false end
end
local position, suspended = -1, false
if values[1] == 'queued' then
  local id = string.match(KEYS[1], '[^:]+$')
  position = redis.call('LPOS', KEYS[2], id, 'MAXLEN', ARGV[1]) or -1
  suspended = redis.pcall('GET', KEYS[3])
  if type(suspended) == 'table' then suspended = '' end -- any value pauses the queue
end
values[#ARGV] = position
values[#ARGV + 1] = suspended
return values
