-- Ask with one set of headers after another: the lines of the file that is named as an argument, tabs between headers,
-- beginning after as many of them as the second argument says. A line that ends with a JSON object posts it;
-- what stands there as the header `target` is asked for instead of the URL's own path.

local requests, at = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local headers, body = {}, line:match("\t({.*})$")
    for name, value in line:gmatch("([^:\t]+): ([^\t]*)") do
      headers[name] = value
    end
    local target = headers.target
    headers.target = nil
    requests[#requests + 1] = wrk.format(body and "POST" or "GET", target, headers, body)
  end
  at = tonumber(arguments[2]) % #requests
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{"requests": %d, "seconds": %.3f, "p99": %.2f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, failed))
end
