--- Many tokens in parallel from a fake bank, without sockets, for the specs of authenticateAll.

local client = require "corebank.auth.client.client"
local fake = require "spec.support.fake"
local get_all = require "corebank.auth.client.many"
local options = require "corebank.auth.options.read"

local many = {}

--- An element of a list.
function many.element(changes)
  local given = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret",
    attempts = 1}
  for name, value in pairs(changes or {}) do given[name] = value end
  return given
end

--- A list of them.
function many.elements(count, changes)
  local list = {}
  for i = 1, count do list[i] = many.element(changes) end
  return list
end

--- A world in which the caller waits. `most` is how many transfers were open at most.
function many.world(answer)
  local world = fake.world(answer)
  world.random = function() return 0 end
  world.waits, world.most = true, 0
  local transfer = world.system.transfer
  function world.system.transfer(...)
    local made = transfer(...)
    local open = 0
    for _ in pairs(world.open) do open = open + 1 end
    world.most = math.max(world.most, open)
    return made
  end
  return world
end

--- What a list gives, what is wrong with it, and the seconds that it took.
function many.run(world, list, given)
  local began = world.now
  local results, mistake = get_all(list, given, world.system, world.host)
  assert(next(world.open) == nil, "every transfer is closed")
  return results, mistake, world.now - began
end

--- A client in that world.
function many.client(world, changes)
  local settings = assert(options.read(many.element(changes), true))
  return client.new(settings, world.system, world.host)
end

return many
