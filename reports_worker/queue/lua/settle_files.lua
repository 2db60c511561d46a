-- Remove a report whose files are as they must be, unless it was noted again after the claim.
-- KEYS: files. ARGV: id, score as claimed.
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
