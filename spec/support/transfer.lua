--- Transfers of the core that ask the sandbox bank for a token.

local core = require "corebank.auth.core"
local options = require "corebank.auth.options.read"
local survive = require "spec.support.survive"

local transfer = {}

--- Starts a POST with what the options said.
---@param settings table
---@param seconds number
function transfer.post(settings, seconds)
  return core.transfer(settings.endpoint, {url = settings.url, method = "POST",
    headers = {"Content-Type: application/json"}, clientId = settings.clientId,
    clientSecret = settings.clientSecret}, seconds)
end

--- Starts one with the sandbox bank's options; `changes` over those.
---@param changes table?
function transfer.start(changes)
  return transfer.post(assert(options.read(survive.options(changes))), 5)
end

--- Waits for it to be done; its result.
function transfer.finish(started)
  while not started:wait(1) do end
  return started:result()
end

return transfer
