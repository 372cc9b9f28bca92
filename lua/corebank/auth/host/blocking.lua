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

-- ---- for a client: three things it cannot do by itself -----------------------------------------

--- A flight has started that nobody waits for yet. Here it goes on whenever token() is called.
function blocking.launch() end

--- Returns when the flight is done.
function blocking.await(client, flight)
  while not flight.done do
    if type(flight.wanted) == "number" then
      rest(flight.due - core.boot())
    else
      flight.wanted:wait(LONGEST_WAIT)
    end
    client:advance(flight)
  end
end

--- Returns when the seconds are over.
function blocking.rest(_, seconds)
  rest(seconds)
end

return blocking
