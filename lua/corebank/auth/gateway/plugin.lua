--- The common part of the plugins for Kong and APISIX. Each plugin passes the gateway's
-- configuration to these functions, and puts the result into the gateway's request or answer.

local clients = require "corebank.auth.gateway.clients"
local log = require "corebank.auth.gateway.log"
local pulse = require "corebank.auth.gateway.pulse"
local slots = require "corebank.auth.gateway.slots"
local use = require "corebank.auth.gateway.use"

local UNAUTHENTICATED = "16"   -- a status of gRPC

---@class corebank.auth.gateway.Given
---@field bank corebank.auth.gateway.Bank
---@field token corebank.auth.Token which the request carries
---@field header string
---@field value string
---@field rejects table<integer, boolean>
---@field isRejected boolean? whether the upstream has rejected it

local plugin = {}

local function get_token(bank)
  local ok, token, _, problem = pcall(bank.client.token, bank.client)
  if ok then return token, problem end
  log.fault(bank, "a request", token)
end

--- A token for a request.
---@param conf table the gateway's table
---@param resolved table? the same with all references resolved
---@return corebank.auth.gateway.Given?
---@return integer? seconds for Retry-After
function plugin.token(conf, resolved)
  pulse.start()
  local token, problem
  for _ = 1, 2 do   -- again if the client was closed: a configuration has changed
    local slot = slots.get(conf, resolved or conf)
    local bank = slot.bank
    clients.used(bank)
    if not bank.client then return nil, use.refuse(bank) end
    token, problem = get_token(bank)
    if token then
      use.count_injected(bank)
      return {bank = bank, token = token, header = slot.tokenHeader, rejects = slot.rejects,
        value = use.value(token, slot.scheme)}
    end
    if not problem or problem.code ~= "closed" then return nil, use.refuse(bank, problem) end
  end
  return nil, use.refuse(nil, problem)
end

--- Checks whether the upstream's answer rejects the token.
---@param given corebank.auth.gateway.Given? from plugin.token
---@param status integer? the status of the last upstream
---@param grpc_status string?
function plugin.observe(given, status, grpc_status)
  if not given or not status or given.isRejected then return end
  if given.rejects[status] or grpc_status == UNAUTHENTICATED then
    given.isRejected = true
    use.reject(given.bank, given.token)
  end
end

local held = {}     -- the tables of the configurations whose tokens are kept without requests
local read_vaults   -- see plugin.hold

--- From now on, the tokens of these configurations are kept fresh without requests. Configurations
-- that were held before, and are not in the list, are released.
---@param configurations table[]
---@param update fun(conf: table) writes the present values of a vault's secrets into the table
function plugin.hold(configurations, update)
  pulse.start()
  local former, isHeld = held, {}
  held, read_vaults = configurations, update
  for _, conf in ipairs(held) do
    isHeld[conf] = true
    slots.hold(conf)
  end
  for _, conf in ipairs(former) do
    if not isHeld[conf] then slots.leave(conf) end
  end
end

-- A secret in a vault may change, or be there for the first time, while there are no requests.
pulse.before_beat(function()
  for _, conf in ipairs(held) do
    local ok, fault = pcall(read_vaults, conf)
    if not ok then log.beat(fault) end
    slots.get(conf, conf)
  end
end)

--- Closes the banks without holders.
plugin.drop = clients.drop

--- Starts the timer that keeps the tokens fresh.
plugin.start = pulse.start

return plugin
