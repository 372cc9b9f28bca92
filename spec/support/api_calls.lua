--- Transfers to the sandbox bank's API (spec/sandbox/api.lua), with a token that its bank issued.

local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local Calls = {}
Calls.__index = Calls

local api_calls = {}

--- An endpoint for the specs' servers.
function api_calls.endpoint()
  return core.endpoint{connectTimeout = survive.seconds(3), caFile = sandbox.bank().caFile,
    proxy = ""}
end

--- Runs a transfer to its end, and closes it. `between` is called after each step.
---@return table result
---@return string? body
---@return string headers as lines
function api_calls.finish(transfer, between)
  repeat
    local isDone = transfer:wait(0.1)
    if between then between(transfer) end
  until isDone
  local result, body, headers = transfer:result(), transfer:body(), tostring(transfer:headers())
  transfer:close()
  return result, body, headers
end

--- Calls to a scenario's API, on one of the sandbox bank's servers: "main", "http2".
function api_calls.new(server)
  local bank = sandbox.bank()
  local calls = setmetatable({endpoint = api_calls.endpoint(), scenario = bank:scenario{}}, Calls)
  calls.url = server and calls.scenario:on(server) or calls.scenario.baseUrl
  local transfer = core.transfer(calls.endpoint, {
    url = calls.scenario.baseUrl .. "/api/auth/v1/authenticate", method = "POST",
    headers = {"Content-Type: application/json"}, clientId = bank.clientId,
    clientSecret = core.secret(bank.clientSecret)}, survive.seconds(5))
  while not transfer:wait(1) do end
  calls.authorization = "Authorization: Bearer " .. assert(transfer:reply())
  return calls
end

--- Starts a request, to which `path` is below the API's base URL.
function Calls:start(request, seconds)
  request.url = self.url .. "/api" .. request.path
  request.headers = request.headers or {}
  table.insert(request.headers, self.authorization)
  return core.transfer(self.endpoint, request, survive.seconds(seconds or 5))
end

--- Performs one.
function Calls:perform(request, seconds)
  return api_calls.finish(self:start(request, seconds))
end

--- What reached the API last.
function Calls:last()
  local journal = self.scenario:journal()
  return journal[#journal]
end

function Calls:close()
  self.endpoint:close()
end

return api_calls
