--- The exit statuses, and the problem codes that lead to each.

local exits = {
  SUCCESS = 0, MACHINE = 1, USAGE = 2, DENIED = 3, UNREACHABLE = 4, UNTRUSTED = 5, BUSY = 6,
  UNUSABLE = 7, KEPT = 8, NO_TOKEN = 9,
  NOT_RUN = 126, NOT_FOUND = 127,   -- as shells, env and nohup have it
  INTERRUPTED = 130,   -- 128 and the number of SIGINT, as shells have it
}

--- For each: the status, what --help says of it, and the problem codes.
exits.list = {
  {exits.SUCCESS, "success"},
  {exits.MACHINE, "out of memory, a missing Lua module, a failed write, or a bug",
    "closed"},
  {exits.USAGE, "usage: an option, the secret or the store"},
  {exits.DENIED, "denied: the bank does not accept these credentials, or the API the token",
    "denied"},
  {exits.UNREACHABLE, "unreachable: no address, no connection, no answer in time",
    "resolve", "connect", "proxy", "timeout", "network"},
  {exits.UNTRUSTED, "not trusted: TLS, or a redirect", "tls", "redirect"},
  {exits.BUSY, "the bank or the API cannot answer now, or asks for fewer requests",
    "server", "limited"},
  {exits.UNUSABLE, "no usable token in the answer, a 4xx of the API, or clocks too far apart",
    "status", "too_large", "response", "expired"},
  {exits.KEPT, "token --refresh: no new token; the one in the store was printed"},
  {exits.NO_TOKEN, "explain: there is no valid token"},
  {exits.NOT_RUN, "exec: the program cannot be run"},
  {exits.NOT_FOUND, "exec: there is no such program"},
  {exits.INTERRUPTED, "interrupted"},
}

local statuses = {}
for _, entry in ipairs(exits.list) do
  for i = 3, #entry do statuses[entry[i]] = entry[1] end
end

--- The status for a problem's code.
function exits.of(code)
  return statuses[code] or exits.MACHINE
end

--- Ends the command from anywhere. cli.run catches it, and writes the message if there is one.
function exits.stop(status, message)
  error({status = status, message = message}, 0)
end

return exits
