--- The steps with a token in a request that nginx.lua's inject() and the plugins have in common.

local log = require "corebank.auth.gateway.log"
local pulse = require "corebank.auth.gateway.pulse"

local DEFAULT_RETRY_AFTER = 5   -- seconds, in the answer to a refused request

local use = {}

--- The value that the upstream receives.
---@param scheme string the word before the token; "" for none
---@return string
function use.value(token, scheme)
  if scheme == "Bearer" then return token:header() end   -- the token keeps this string
  return scheme == "" and token.accessToken or scheme .. " " .. token.accessToken
end

--- Counts a request that got a token.
function use.count_injected(bank)
  if pulse.isRunning then bank.metrics:note("injected") else bank.metrics:add("injected") end
end

--- Counts a request that is refused.
---@param bank corebank.auth.gateway.Bank?
---@param problem corebank.auth.Problem?
---@return integer # the seconds for Retry-After
function use.refuse(bank, problem)
  if bank and bank.metrics then bank.metrics:add("refused") end
  pulse.ensure()
  return math.max(1, math.ceil(problem and problem.retryAfter or DEFAULT_RETRY_AFTER))
end

local function invalidate(bank, token)
  return bank.client ~= nil and not bank.gone and token ~= nil and bank.client:invalidate(token)
end

--- The upstream rejected a token. The next one is fetched at once.
---@return boolean # whether the rejection counts
function use.reject(bank, token)
  local ok, dropped = pcall(invalidate, bank, token)
  if not ok then
    log.fault(bank, "a rejection", dropped)
  elseif dropped then
    pulse.hasten(bank)
  end
  return ok and dropped
end

return use
