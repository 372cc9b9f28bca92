--- A flight gets a token for a client, from the store or from the bank, in a task of its own. All
-- callers that need the token wait for the flight and share its outcome, a token or a failure. The
-- flight continues when the caller that started it is gone.

local exchange = require "corebank.auth.exchange.exchange"
local freshness = require "corebank.auth.client.freshness"
local settings_of = require "corebank.auth.client.settings"
local tell = require "corebank.auth.client.tell"
local turn = require "corebank.auth.client.turn"

-- How a request ends that nobody moves on: by its time limits, or because its peer gives it up.
local SAYS_NOTHING = {timeout = true, network = true, tls = true}

---@class corebank.auth.Flight
---@field task corebank.auth.Task
---@field isUrgent boolean whether somebody needs the token; else it is a refresh
---@field startedAt number on the boot clock
---@field hasAsked boolean? whether a request to the bank has begun
---@field problem corebank.auth.Problem? why there is no token
---@field fault any? what it raised: out of memory, or a mistake of ours
---@field event string? what is told when it has ended, and `details` of it
---@field wasWaitedFor boolean? whether a script that calls seldom has waited for it
local Flight = {}
Flight.__index = Flight

--- Asks the bank.
---@param host table await and sleep
---@param isOver (fun(): boolean)? as corebank.auth.Call has it
---@return corebank.auth.Token?
---@return corebank.auth.Problem?
function Flight:ask(host, isOver)
  local client = self.client
  if client.flight ~= self then return nil end   -- a handler, told of the store, has ended it
  client.lastDeparture, self.task.wasIdle, self.hasAsked = client.system.boot(), nil, true
  local call = exchange.new{settings = settings_of[client], system = client.system, host = host,
    deadline = self.deadline, isOver = isOver}
  function self.close_call() call:close() end   -- a dump of a client shows no settings
  local token, _, trouble = call:run()
  if token then token, trouble = freshness.check_leeway(client, token, call) end
  self.attempts = call.attempts
  return token, trouble
end

local function keep_token(self, token)
  local client = self.client
  if freshness.is_rejected(client, token) then return end   -- who waits for another one asks again
  self.event = client.current and "refreshed" or "fetched"
  self.details = {attempts = self.attempts, seconds = client.system.boot() - self.startedAt}
  freshness.issued(client, token)
  if client.shared then
    client.shared:put_token({token = token, lifetime = token:remaining(),
      departed = client.lastDeparture, rejections = client.rejections,
      lastRejection = client.lastRejection > -math.huge and client.lastRejection or nil},
      client.lease:holder())
  end
end

local function keep_failure(self, trouble)
  local client = self.client
  self.problem = trouble
  self.event = trouble.code == "denied" and "denied" or "failed"
  self.details = {code = trouble.code, status = trouble.status, attempts = trouble.attempts,
    seconds = client.system.boot() - self.startedAt, secretFault = trouble.secretFault}
  local failure = freshness.failed(client, trouble)
  local owner = client.lease and client.lease:holder()
  if owner then client.shared:put_failure(failure, owner) end
end

-- The work of the task: gets a token, and keeps what came of it, here and where others find it.
local function get(self)
  local client = self.client
  local token, trouble
  if client.shared then
    token, trouble = turn.get(self)
  else
    local rest = freshness.rest_before_asking(client)
    if rest > 0 then client.host.sleep(rest) end
    token, trouble = self:ask(client.host)
  end
  if token then
    keep_token(self, token)
  elseif trouble and self.task.wasIdle and SAYS_NOTHING[trouble.code] then
    if self.wasWaitedFor then freshness.postpone(client) end
  elseif trouble then
    keep_failure(self, trouble)
  end
end

-- However the task ends. The outcome is told when the lease is back: a handler may raise. One that
-- nobody was told of, as Ctrl-C came before, is no answer to a later caller.
local function finish(self, ok, fault)
  local client = self.client
  if self.close_call then self.close_call() end
  if client.flight == self then client.flight = nil end
  if not ok then self.fault, self.problem = fault, nil end
  if client.lease then client.lease:release() end
  if ok and self.event then tell(client, self.event, self.details) end
end

--- Somebody needs the token: the flight must not lose its turn meanwhile.
function Flight:make_urgent()
  if self.isUrgent then return end
  self.isUrgent = true
  if self.client.lease then turn.keep(self) end
end

--- Ends it without an outcome.
function Flight:abandon()
  self.task:cancel()
  if self.client.flight == self and self.task:is_done() then   -- Ctrl-C came at its end
    finish(self, false)
  end
end

local flight = {}

--- Starts one. It is the client's as soon as it can raise.
---@param client corebank.auth.Client
---@param isUrgent boolean
---@return corebank.auth.Flight
function flight.start(client, isUrgent)
  local self = setmetatable({client = client, timeout = settings_of[client].timeout,
    isUrgent = isUrgent, startedAt = client.system.boot()}, Flight)
  self.task = client.host.spawn(function() return get(self) end,
    function(...) finish(self, ...) end)
  client.flight = self
  client.host.poll()
  return self
end

return flight
