-- Count reports by their place. Returns how many are registered, wait, were taken, run, have ended, and expire.
local ended = redis.call('ZCARD', keys.finished) + redis.call('ZCARD', keys.failed)
return {
  redis.call('ZCARD', keys.registry), redis.call('LLEN', keys.queued), redis.call('LLEN', keys.intermediate),
  redis.call('ZCARD', keys.started), ended, redis.call('ZCARD', keys.expiry),
}
