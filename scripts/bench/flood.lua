-- Post one JSON object after another, the lines of the file that is named as an argument, and count what was answered.

local requests, at = {}, 0
local threads = {}
done_with, turned_away, others = 0, 0, 0

function setup(thread)
  threads[#threads + 1] = thread
end

function init(arguments)
  for line in io.lines(arguments[1]) do
    local headers = {["Content-Type"] = "application/json"}
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response(status)
  if status == 200 then
    done_with = done_with + 1
  elseif status == 503 or status == 429 then
    turned_away = turned_away + 1
  else
    others = others + 1
  end
end

function done(summary, latency)
  local counts = {0, 0, 0}
  for _, thread in ipairs(threads) do
    counts[1] = counts[1] + thread:get("done_with")
    counts[2] = counts[2] + thread:get("turned_away")
    counts[3] = counts[3] + thread:get("others")
  end
  io.write(string.format('{"done": %d, "turned_away": %d, "others": %d, "seconds": %.3f, "p99": %.2f}\n',
    counts[1], counts[2], counts[3], summary.duration / 1e6, latency:percentile(99) / 1e3))
end
