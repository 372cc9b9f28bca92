--- How a plain script waits: it blocks, and wakes at a signal so that Ctrl-C works.

local core = require "corebank.auth.core"

local LONGEST_WAIT = 1   -- seconds between looks at a transfer that says nothing

local blocking = {}

local function rest(seconds)
  local ends = core.boot() + seconds
  while seconds > 0 do
    core.sleep(seconds)
    seconds = ends - core.boot()
  end
end

--- Waits for a transfer to be done, or for a number of seconds.
---@param wanted table|number
function blocking.wait(wanted)
  if type(wanted) == "number" then return rest(wanted) end
  while not wanted:step() do wanted:wait(LONGEST_WAIT) end
end

return blocking
