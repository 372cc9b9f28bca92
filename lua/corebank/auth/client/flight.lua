--- A flight gets a token for a client, from the store or from the bank, in a task of its own. All
-- who need its outcome wait for it and share it, failure too. It outlives the caller that started
-- it.

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
---@field problem corebank.auth.Problem? why there is no token
---@field fault any? what it raised: out of memory, or a mistake of ours
---@field wasDropped boolean? whether nobody moved it on, so that it says nothing of the bank
---@field wasWaitedFor boolean? whether a script that calls seldom has waited for it
local Flight = {}
Flight.__index = Flight

--- Asks the bank.
---@param host table await and sleep
---@param elsewhere (fun(): corebank.auth.Token?, boolean)? as for exchange.new
---@return corebank.auth.Token?
---@return corebank.auth.Problem?
function Flight:ask(host, elsewhere)
  local client = self.client
  if client.flight ~= self then return nil end   -- a handler, told of the store, has ended it
  client.lastDeparture, self.task.wasIdle = client.system.boot(), nil
  local call = exchange.new{settings = settings_of[client], system = client.system, host = host,
    deadline = self.deadline, elsewhere = elsewhere}
  function self.close_call() call:close() end
  local token, _, trouble = call:run()
  self.attempts = call.attempts
  return token, trouble
end

-- The work of the task.
local function get(self)
  local client = self.client
  if client.shared then return turn.get(self) end
  local rest = freshness.rest_before_asking(client)
  if rest > 0 then client.host.sleep(rest) end
  return self:ask(client.host)
end

-- ---- its end -----------------------------------------------------------------------------------

-- What the bank brought is kept, and put where others find it. Returns the event to tell.
local function keep_answer(self, token, trouble)
  local client = self.client
  local seconds = client.system.boot() - self.startedAt
  if token then
    local name = client.current and "refreshed" or "fetched"
    freshness.issued(client, token)
    if client.shared then
      client.shared:put_token{token = token, lifetime = token:remaining(),
        departed = client.lastDeparture, rejections = client.rejections,
        lastRejection = client.lastRejection > -math.huge and client.lastRejection or nil}
    end
    return name, {attempts = self.attempts, seconds = seconds}
  end
  local failure = freshness.failed(client, trouble)
  if client.shared and client.lease:is_held() then client.shared:put_failure(failure) end
  return trouble.code == "denied" and "denied" or "failed",
    {code = trouble.code, status = trouble.status, attempts = trouble.attempts, seconds = seconds,
      secretFault = trouble.secretFault}
end

-- What came of it is kept. Returns the event to tell, if there is one.
local function keep(self, token, trouble)
  local client, found = self.client, self.found
  if not (token or trouble) then return nil end
  if found then
    freshness.take(client, found)
    return "found"
  end
  if self.heeded then
    freshness.fall_back(client)
    client.lastProblem, client.lastProblemAt = self.heeded, client.system.wall()
    return nil
  end
  if trouble and self.task.wasIdle and SAYS_NOTHING[trouble.code] then
    self.wasDropped, self.problem = true, nil
    if self.wasWaitedFor then freshness.postpone(client) end
    return nil
  end
  if token then
    token, trouble = freshness.check_leeway(client, token, self.attempts)
    self.problem = trouble
  end
  return keep_answer(self, token, trouble)
end

-- Nobody is told before all is kept and the lease is back: a handler may raise, and so may one that
-- is told of the store meanwhile.
local function finish(self, ok, result, trouble)
  local client = self.client
  if self.close_call then self.close_call() end
  if client.flight == self then client.flight = nil end
  if not ok then self.fault, result = result, nil end
  self.problem = trouble
  local kept, name, event = pcall(keep, self, result, trouble)
  if client.lease then client.lease:release() end
  if not kept then error(name, 0) end
  if name then tell(client, name, event) end
end

-- ---- waiting -----------------------------------------------------------------------------------

--- Waits for its end, or at most so many seconds.
---@param seconds number?
function Flight:wait(seconds)
  self.task:wait(seconds)
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
