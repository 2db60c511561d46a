-- Count reports by their place. Returns how many are registered, wait, were taken, run, have ended, and expire; and
-- how many members of the registry have a score other than 0.
local ended = redis.call('ZCARD', keys.finished) + redis.call('ZCARD', keys.failed)
return {
  redis.call('ZCARD', keys.registry), redis.call('LLEN', keys.queued), redis.call('LLEN', keys.intermediate),
  redis.call('ZCARD', keys.started), ended, redis.call('ZCARD', keys.expiry),
  redis.call('ZCOUNT', keys.registry, '-inf', '(0') + redis.call('ZCOUNT', keys.registry, '(0', '+inf'),
}
