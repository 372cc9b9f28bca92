--- Clients that share a store, without sockets, as if each were in a process of its own.

local client = require "corebank.auth.client.client"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local options = require "corebank.auth.options.read"

local sharing = {}

--- A world with one store, and a maker of clients in it, each in a process of its own unless
--- `world.pid` says in which; `events` collects what they tell.
function sharing.world(answer, changes)
  local world = fake.world(answer)
  world.random = function() return 0 end
  world.store = memory.new(world.system.boot)
  world.events = {}
  local pids = 0
  function world.process(other)
    pids = pids + 1
    local own = pids
    local given = {baseUrl = "https://bank.example", clientId = "id", attempts = 1,
      clientSecret = "canary-secret", store = world.store,
      onEvent = function(event) world.events[#world.events + 1] = event end}
    for _, more in ipairs{changes or {}, other or {}} do
      for name, value in pairs(more) do given[name] = value end
    end
    local settings = assert(options.read(given, true))
    local system = setmetatable({}, {__index = world.system})
    function system.pid() return world.pid or own end
    return client.new(settings, system, world.new_host())
  end
  return world
end

--- The clocks of a process, on a machine that started `now` seconds ago; `session` names the start.
function sharing.machine(now, wall, session)
  return {boot = function() return now end, wall = function() return wall end,
    session = function() return session end}
end

--- How many events of this name were told.
function sharing.count(world, name)
  local n = 0
  for _, event in ipairs(world.events) do
    if event.name == name then n = n + 1 end
  end
  return n
end

return sharing
