--- A fleet in a world without sockets: hosts with clocks of their own, each with a near store for
--- its processes, and one Redis for all.
--
--   local fleet = new_fleet(fake.steady(60))
--   local host = fleet.host{boot = 7, wall = -3600}   -- how far its clocks are off
--   local kept = host.process()

local client = require "corebank.auth.client.client"
local fake = require "spec.support.fake"
local fake_redis = require "spec.support.fake_redis"
local layered = require "corebank.auth.store.layered"
local memory = require "corebank.auth.store.memory"
local options = require "corebank.auth.options.read"
local redis = require "corebank.auth.store.redis"

-- The world's functions on a machine with clocks of its own.
local function system_of(world, off, name, pid)
  local system = setmetatable({}, {__index = world.system})
  function system.boot() return world.now + off.boot end
  function system.wall() return world.now + world.skew + off.wall end
  system.steady = system.boot
  function system.before(steady, wall) return system.steady() < steady and system.wall() < wall end
  function system.session() return name end
  function system.pid() return pid end
  function system.transfer(...)
    local transfer = world.system.transfer(...)
    local reply = transfer.reply
    local function on_our_clocks(token, sent, sent_wall, ...)
      if token then return token, sent + off.boot, sent_wall + off.wall, ... end
    end
    function transfer.reply() return on_our_clocks(reply()) end
    return transfer
  end
  return system
end

---@param answer function as fake.world takes it
---@return table fleet world, server, events; host(off)
return function(answer)
  local world = fake.world(answer)
  local fleet = {world = world, server = fake_redis.new(function() return world.system.wall() end),
    events = {}}
  local hosts, pids = 0, 0

  function fleet.host(off)
    hosts = hosts + 1
    off = {boot = off and off.boot or 0, wall = off and off.wall or 0}
    local host, name = {}, "start " .. hosts
    local near = memory.new(function() return world.now + off.boot end)

    --- A client in a process of its own on this host; `changes` are more options.
    function host.process(changes)
      pids = pids + 1
      local system = system_of(world, off, name, pids)
      local far = redis.new({connect = fleet.server.connect}, system)
      local given = {baseUrl = "https://bank.example", clientId = "id", attempts = 1,
        clientSecret = "canary-secret", store = layered.new(near, far, system),
        onEvent = function(event)
          fleet.events[event.name] = (fleet.events[event.name] or 0) + 1
        end}
      for option, value in pairs(changes or {}) do given[option] = value end
      local own = world.new_host(system.boot)
      own.longestIdle = nil   -- as in nginx
      return client.new(assert(options.read(given, true)), system, own)
    end
    return host
  end
  return fleet
end
