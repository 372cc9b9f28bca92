--- The message for a failed operation on a Redis server. An error of Redis may repeat the data that
-- was sent to the server, so the message contains only the error's first word.

local MEANINGS = {
  CLUSTERDOWN = "the cluster is down",
  LOADING = "the server is starting",
  MASTERDOWN = "this is a replica without its master",
  MOVED = "this is one server of a cluster: give its client with 'connect'",
  NOAUTH = "a password is needed",
  OOM = "the server has no memory left for writes",
  READONLY = "this is a replica, which cannot be written to",
  WRONGPASS = "wrong user or password",
  WRONGTYPE = "a key of another kind has this name",
}

-- A part of the library's message when there is no reply, and our message.
local TROUBLES = {
  {"certificate", "the server's certificate was refused"},
  {"handshake", "the TLS handshake failed"},
  {"timeout", "timeout"}, {"refused", "connection refused"}, {"reset", "connection reset"},
  {"closed", "connection closed"}, {"broken pipe", "connection closed"},
  {"resol", "the host's name cannot be resolved"}, {"not known", "the host's name is not known"},
  {"unreachable", "network unreachable"}, {"no route", "no route to the host"},
}

-- The message for an error of the server: its first word, and what it means.
local function fault_of_error(word, text)
  if word == "ERR" then word = text:match "%-(%u+) " or word end   -- in a script, before Redis 7
  if text:find("can't run this command", 1, true) then   -- Redis 7.0, of a command in a script
    return "NOPERM, its user must have the right to run all commands that the store needs"
  end
  local meaning = MEANINGS[word]
  if word == "NOPERM" then
    local command = text:match "'([%a|]+)' command"
    meaning = command and ("its user must have the right to run '%s'"):format(command)
      or "its user must have the right to all keys with this prefix"
  end
  return meaning and word .. ", " .. meaning or word
end

---@param raised any what a client library has raised or returned
---@param unknown string? the message for what is not known; without it "an unexpected reply"
---@return string fault
return function(raised, unknown)
  local text = tostring(raised)
  text = text:match "redis error: (.*)" or text   -- redis-lua
  local word = text:match "^(%u[%u%d]+)%f[^%w]"
  if word then return fault_of_error(word, text) end
  for _, trouble in ipairs(TROUBLES) do
    if text:lower():find(trouble[1], 1, true) then return trouble[2] end
  end
  return unknown or "an unexpected reply"
end
