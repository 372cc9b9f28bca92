--- Work that outlives the caller who started it: a coroutine, and what it waits for.
--
-- The coroutine yields a transfer or a number of seconds. Nothing here waits; a host (host/) calls
-- `advance` until the flight is done. What a coroutine is, is the host's affair, too: its `threads`
-- has create, resume, status and yield.

---@class corebank.auth.Flight
---@field started number on the boot clock
---@field done boolean
---@field wanted table|number|false the transfer or the seconds it waits for
---@field due number? on the boot clock, when it waits for seconds
---@field problem corebank.auth.Problem? why there is no token
---@field fault any? what it raised: out of memory, or a mistake of ours
local Flight = {}
Flight.__index = Flight

-- Over, however. What the flight waited for holds the secret.
local function finish(self, token, trouble)
  local wanted = self.wanted
  self.done, self.wanted, self.thread = true, false, false
  if wanted and type(wanted) ~= "number" then wanted:close() end
  self.problem = trouble
  self.over(self, token, trouble)
end

-- Takes what the coroutine yielded or returned.
local function note(self, ok, ...)
  if not ok then
    self.fault = ...
    finish(self)
    error(self.fault, 0)
  end
  if self.threads.status(self.thread) == "dead" then
    local token, _, trouble = ...
    return finish(self, token, trouble)
  end
  self.wanted = ...
  if type(self.wanted) == "number" then self.due = self.system.boot() + self.wanted end
end

-- Whether what the flight waits for has come.
local function is_ready(self)
  if type(self.wanted) == "number" then return self.system.boot() >= self.due end
  return self.wanted:step()
end

--- Moves it on as far as it goes without waiting. Raises what the work raises.
function Flight:advance()
  if not self.done and not self.wanted then return finish(self) end   -- its start was interrupted
  while not self.done and is_ready(self) do
    self.wanted = false
    note(self, self.threads.resume(self.thread))
  end
end

--- Sets off. Once, and not by `new`: whoever keeps the flight must have it before it can raise.
---@param ... any for the work
function Flight:depart(...)
  note(self, self.threads.resume(self.thread, ...))
  self:advance()
end

--- Ends it without an outcome.
function Flight:abandon()
  if not self.done then finish(self) end
end

local flight = {}

--- Makes a flight.
---@param work function yields what it waits for; returns a token, or nil, a message and a problem
---@param over function called once, when it is done, with the flight, and the token or the problem;
--- with neither after `abandon` and after a fault
---@param system table boot
---@param threads table see above
---@return corebank.auth.Flight
function flight.new(work, over, system, threads)
  return setmetatable({started = system.boot(), done = false, wanted = false, over = over,
    system = system, threads = threads, thread = threads.create(work)}, Flight)
end

return flight
