-- wrk -s load.lua URL -- FILE BODY: ask for each path of FILE in turn, by POST with BODY unless that is empty.
-- Prints one line of JSON: requests, microseconds, latencies in microseconds, and what went wrong.
local requests, position = {}, 0

function init(arguments)
  local method, body, headers = "GET", nil, {}
  if arguments[2] ~= "" then
    method, body, headers = "POST", arguments[2], {["Content-Type"] = "application/json"}
  end
  for path in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"refused":%d,"broken":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
