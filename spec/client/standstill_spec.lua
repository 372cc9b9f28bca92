-- A process may stand still at any moment: half a minute passes between any two readings of a
-- clock, and no token is handed out after its end.

local client = require "corebank.auth.client.client"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local options = require "corebank.auth.options.read"

local VALIDITY, PAUSE = 100, 30

-- A world that stands still for a while after its nth reading of a clock.
local function world_with_pause(n)
  local world = fake.world(fake.steady(VALIDITY))
  world.random = function() return 1 end
  world.readings = 0
  for _, name in ipairs{"boot", "wall", "steady"} do
    local read = world.system[name]
    world.system[name] = function()
      local moment = read()
      world.readings = world.readings + 1
      if world.readings == n then world.skip(PAUSE) end
      return moment
    end
  end
  return world
end

local function client_of(world, store)
  local settings = assert(options.read({baseUrl = "https://bank.example", clientId = "id",
    clientSecret = "canary-secret", store = store, timeout = 300,
    leeway = 0.001, refreshAhead = 0.001}, true))
  return client.new(settings, world.system, world.host)
end

-- The first moment at which a caller does not get that token any more.
local function end_of(kept, world, token)
  while true do
    local got
    world.call(function() got = kept:token() end)
    if got ~= token then return world.now end
    world.skip(0.25)
  end
end

describe("S38: a pause between any two readings of a clock", function()
  it("makes no client keep a token for longer than it lives", function()
    local n = 0
    repeat
      n = n + 1
      local world = world_with_pause(n)
      local kept = client_of(world)
      local token = assert(fake.ask(kept, world))
      local ours, sent = world.readings, world.posts[#world.posts]
      assert(end_of(kept, world, token) <= sent + VALIDITY, n)
    until ours < n
    assert.is_true(n > 5)
  end)

  it("nor one that finds it in a store", function()
    for _, session in ipairs{"a start", ""} do
      local n = 0
      repeat
        n = n + 1
        local world = world_with_pause(n)
        world.session = session
        local store = memory.new(function() return world.now end)
        assert(fake.ask(client_of(world, store), world))
        local kept = client_of(world, store)
        local token = assert(fake.ask(kept, world))
        local ours, sent = world.readings, world.posts[#world.posts]
        assert(end_of(kept, world, token) <= sent + VALIDITY, n)
      until ours < n
      assert.is_true(n > 10)
    end
  end)
end)
