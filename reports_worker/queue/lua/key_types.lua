-- Placed before every script. Raise WRONGTYPE if one of these keys holds another type than it must. Lua rolls nothing
-- back, so a script that writes several keys calls this for all of them before it writes the first.
local counters = {hash = 'HLEN', list = 'LLEN', set = 'SCARD', zset = 'ZCARD'}
local function require_type(wanted, ...)
  for _, key in ipairs({...}) do redis.call(counters[wanted], key) end
end
