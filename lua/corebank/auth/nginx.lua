--- The gateway: every request that nginx proxies to the bank carries a valid token, or is refused.
--
--   init_by_lua*            check{…}      a mistake stops nginx before a reload takes place
--   init_worker_by_lua*     setup{…}      once for each bank
--   rewrite_by_lua*         inject()      the token into the request's variable, or 503
--   header_filter_by_lua*   observe()     after a 401 of the upstream the next token is fetched
--   content_by_lua*         ready(), metrics(), status()

local answers = require "corebank.auth.gateway.answers"
local banks = require "corebank.auth.gateway.banks"
local host = require "corebank.auth.host.nginx"
local pulse = require "corebank.auth.gateway.pulse"
local request = require "corebank.auth.gateway.request"
local setup = require "corebank.auth.gateway.setup"

local ngx = ngx

-- The phases in which setup may stand before inject(), and runs for each request.
local BEFORE_INJECT = {rewrite = true, server_rewrite = true, access = true}

-- The phases in which a timer belongs to the worker, not to a request.
local OF_THE_WORKER = {init_worker = true, timer = true}

local gateway = {}

--- Makes a bank known to this worker, and begins to keep a token for it. One of the same name is
-- replaced.
--
-- Options are those of auth.client and: `name`, by which the other functions know the bank (default
-- "default"); `dict`, the lua_shared_dict (default "corebank"); `variable`, which carries the token
-- (default "bank_token"); `scheme`, which stands before it (default "Bearer", "" for nothing);
-- `rejects`, statuses of the upstream that reject a token (default {401}); `clientSecretFile`, a
-- path. Belongs into init_worker_by_lua*.
--
-- A mistake does not raise, so that the next bank is set up: it is logged, the bank refuses its
-- requests, and setup is tried again. Called in a request, before inject(), it does nothing when
-- the bank is known: with lua_code_cache off each request has a Lua state of its own, and needs it
-- there.
---@param given table
---@return true? # nil when there is a mistake
---@return string? mistake
function gateway.setup(given)
  local phase = ngx.get_phase()
  if phase == "init" then error("setup: " .. host.objection(), 2) end
  if BEFORE_INJECT[phase] and type(given) == "table" and banks.get(given.name) then return true end
  local caller = debug.getinfo(2, "Sl")
  local mistake = banks.put(given,
    caller and ("%s:%d"):format(caller.short_src, caller.currentline) or "?")
  if OF_THE_WORKER[phase] then pulse.start() end
  if mistake then return nil, mistake end
  return true
end

--- Removes a bank: from now on its requests are refused.
---@param name string
---@return boolean # whether there was one
function gateway.remove(name)
  if type(name) ~= "string" then
    error("remove: the name of a bank is needed, not " .. type(name), 2)
  end
  return banks.remove(name)
end

--- Raises on a mistake in what setup will be given. For init_by_lua*: when that fails nginx refuses
-- the reload, and the running workers stay.
---@param given table
function gateway.check(given)
  local mistake = setup.inspect(given)
  if mistake then error("check: " .. mistake, 2) end
end

--- Puts the token into the request's variable. Without a token nginx answers 503. For
-- rewrite_by_lua*, access_by_lua*; in the latter the code after it in the same block does not run.
-- `name` is the bank's, default "default"; `given` counts in place of what setup was given.
---@type fun(name: string?, given: {variable: string?, scheme: string?}?)
gateway.inject = request.inject

--- Looks at the upstream's answer: a status in `rejects`, or gRPC's 16, drops the token that this
-- request carried, and the next one is fetched at once. Never waits. For header_filter_by_lua*,
-- log_by_lua*. `name` is the bank's; default: whichever the token is of.
---@type fun(name: string?)
gateway.observe = request.observe

--- Drops the token that this request carried, whatever the upstream's status. Never waits. Returns
-- whether it was dropped; false also for a token that has been replaced already.
---@type fun(name: string?): boolean
gateway.reject = request.reject

--- Answers 200 while there is a valid token, here or in the shared dict, else 503. Asks no bank.
-- For content_by_lua*. `name` is the bank's; default: all of them.
---@type fun(name: string?)
gateway.ready = answers.ready

--- Answers with the metrics of one bank, or of all, for Prometheus. For content_by_lua*.
---@type fun(name: string?)
gateway.metrics = answers.metrics

--- Answers with a page on the state of one bank, or of all: HTML, or JSON where the request's
-- `Accept` wants that. Asks no bank. For content_by_lua*.
---@type fun(name: string?)
gateway.status = answers.status

return gateway
