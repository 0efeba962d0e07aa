-- Invite somebody new, take the invitation back with the id that was answered, and so on: every other request each.
-- The owners' headers are the lines of the file that is named first, tabs between them; the number after it makes the
-- addresses new. The URL is that of the organizations' routes, with a slash at the end.

local owners, answered, number = {}, {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local headers = {}
    for name, value in line:gmatch("([^:\t]+): ([^\t]*)") do
      headers[name] = value
    end
    owners[#owners + 1] = headers
  end
  number = tonumber(arguments[2])
end

local function post(what, of, body)
  return wrk.format("POST", wrk.path .. what, owners[of % #owners + 1], body)
end

function request()
  local invitation = table.remove(answered)
  if invitation then
    return post("cancel-invitation", invitation.of, string.format('{"invitationId":"%s"}', invitation.id))
  end
  number = number + 1
  return post("invite-member", number, string.format('{"email":"guest.%d@example.com","role":"member"}', number))
end

function response(status, headers, body)
  local id, of = body:match('"id":"([^"]+)"'), body:match('"email":"guest%.(%d+)@')
  if status == 200 and body:find('"status":"pending"', 1, true) then
    answered[#answered + 1] = { id = id, of = tonumber(of) }
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{"requests": %d, "seconds": %.3f, "p99": %.2f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, failed))
end
