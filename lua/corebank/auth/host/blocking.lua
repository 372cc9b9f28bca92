--- How a plain script waits: it blocks, and wakes at a signal so that Ctrl-C works.

local core = require "corebank.auth.core"

local LONGEST_WAIT = 1   -- seconds between looks at a transfer that says nothing

local blocking = {}

local function wait_for(wanted)
  if type(wanted) == "number" then
    local ends = core.boot() + wanted
    local left = wanted
    while left > 0 do
      core.sleep(left)
      left = ends - core.boot()
    end
  else
    while not wanted:step() do wanted:wait(LONGEST_WAIT) end
  end
end

local function finish(thread, ok, ...)
  if not ok then error((...), 0) end
  if coroutine.status(thread) == "dead" then return true, ... end
  wait_for((...))
  return false
end

local function drive(thread, done, ...)
  if done then return ... end
  return drive(thread, finish(thread, coroutine.resume(thread)))
end

--- Runs `job(...)` in a coroutine of its own, waits for whatever it yields, returns what it returns.
---@param job function
---@return any ...
function blocking.run(job, ...)
  local thread = coroutine.create(job)
  return drive(thread, finish(thread, coroutine.resume(thread, ...)))
end

return blocking
