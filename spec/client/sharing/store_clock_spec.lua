-- A store that tells the time left: its clock counts, and no clock of its users.

local entry = require "corebank.auth.client.entry"
local fake = require "spec.support.fake"
local problem = require "corebank.auth.exchange.problem"
local sharing = require "spec.support.sharing"
local token = require "corebank.auth.exchange.token"

local machine = sharing.machine

local WALL = 1790000000
local WRITER = machine(1000, WALL, "a start")

local function token_text()
  local own = token.revive({tokenType = "Bearer"}, "canary-token", 1080, WALL + 80, WRITER)
  return (entry.write({token = own, lifetime = 100, departed = 980, lastRejection = 970}, nil,
    WRITER))
end

describe("an entry of a store that tells the time left", function()
  -- The store says 50 of 80 seconds: it was written 30 seconds ago.
  for name, reader in pairs{
    ["a machine whose clock is an hour late"] = machine(5, WALL - 3600, "another"),
    ["a machine whose clock is an hour early"] = machine(5, WALL + 3600, "another"),
    ["a copy of the machine, put back to a snapshot"] = machine(5, WALL + 30, "a start"),
  } do
    it("is read alike by " .. name, function()
      local found = entry.read(token_text(), reader, 5 + 50)
      assert.same({55, reader.wall() + 50}, {token.deadlines(found.token)})
      assert.same({-45, -55, 100}, {found.departed, found.lastRejection, found.lifetime})
    end)

    it("says when a failure was, to " .. name, function()
      local text = entry.write(nil, {problem = problem.new("denied", "no"), at = 1000,
        departed = 999, nextRefresh = 1008, latched = 1060, failures = 3, denials = 1}, WRITER)
      local _, failure = entry.read(text, reader, 5 + 300 - 30)
      assert.same({-25, -26, -17, 35},
        {failure.at, failure.departed, failure.nextRefresh, failure.latched})
    end)
  end

  it("K9: is over when nothing is left", function()
    for _, left in ipairs{0, -1} do
      local found = entry.read(token_text(), machine(5, WALL, "another"), 5 + left)
      assert.is_true(found.token:expired())
    end
  end)

  it("K8: is none when more is left than it had: the store's clock has gone back", function()
    local reader = machine(5, WALL, "another")
    assert.is_truthy(entry.read(token_text(), reader, 5 + 80))
    assert.is_nil(entry.read(token_text(), reader, 5 + 82))
  end)

  it("is none when it does not say how much it had: another version wrote it", function()
    local text = token_text()
    for _, line in ipairs{"keptFor %d+\n", "writtenWall %d+\n"} do
      assert.is_nil(entry.read(text:gsub(line, ""), machine(5, WALL, "another"), 55))
    end
  end)
end)

-- A store whose answers take `delay` seconds, and lends for 3 seconds at most.
local function far_store(world, delay)
  local store, kept, lease = {name = "far", longestLease = 3, longest = 0, leases = 0}, {}, nil
  function store.get(_, name)
    local record = kept[name]
    local left = record and record.ends - world.now
    world.now = world.now + delay
    if left and left > 0 then return record.bytes, nil, left end
  end
  function store.put(_, name, bytes, seconds)
    kept[name] = {bytes = bytes, ends = world.now + seconds}
    return true
  end
  function store.delete(_, name)
    kept[name] = nil
    return true
  end
  function store.lease(_, _, owner, seconds)
    store.leases, store.longest = store.leases + 1, math.max(store.longest, seconds)
    if lease and lease.owner ~= owner and lease.ends > world.now then return false end
    lease = {owner = owner, ends = world.now + seconds}
    return true
  end
  function store.release(_, _, owner)
    if lease and lease.owner == owner then lease = nil end
    return true
  end
  return store
end

describe("a client of such a store", function()
  -- A client on a machine of its own, whose wall clock is wrong by `skew` seconds.
  local function on_machine(world, store, skew)
    local kept, name = world.process{store = store, timeout = 10}, tostring(skew)
    function kept.system.wall() return world.now + WALL + skew end
    function kept.system.session() return name end
    return kept
  end

  it("has the token until the bank's end, however wrong both clocks are", function()
    for _, skews in ipairs{{3600, 0}, {-3600, 0}, {0, 3600}, {0, -3600}} do
      local world = sharing.world(fake.steady(100))
      local store = far_store(world, 0)
      world.skew = WALL + skews[1]   -- what the bank's answer is measured by
      assert(fake.ask(on_machine(world, store, skews[1]), world))
      local ends = world.posts[1] + 100
      world.pass(30)
      local own = assert(fake.ask(on_machine(world, store, skews[2]), world))
      assert.near(ends, world.now + own:remaining(), 0.2)
      assert.equal(1, #world.posts)
    end
  end)

  it("K9: counts what is left from before the question", function()
    local world = sharing.world(fake.steady(100))
    local store = far_store(world, 0.4)
    assert(fake.ask(on_machine(world, store, 0), world))
    local own = assert(fake.ask(on_machine(world, store, 7), world))
    assert.equal(1, #world.posts)
    assert.is_true(world.now + own:remaining() <= world.posts[1] + 100)
  end)

  it("renews its short lease for as long as the bank takes", function()
    local world = sharing.world(fake.steady(100, 8))
    local store = far_store(world, 0)
    local one, other = on_machine(world, store, 0), on_machine(world, store, 7)
    local got = 0
    for _, kept in ipairs{one, other} do
      world.call(function()
        if kept:token() then got = got + 1 end
      end)
    end
    world.pass(9, 0.05)
    assert.same({2, 1, 3}, {got, #world.posts, store.longest})
  end)

  it("waits for a dead owner's lease no longer than that is", function()
    local world = sharing.world(fake.steady(100, 1))
    local store = far_store(world, 0)
    local dead = on_machine(world, store, 0)
    world.call(function() dead:token() end)
    world.pass(0.5, 0.05)
    world.stop(dead.host)
    world.running = {}
    local began = world.now
    assert(fake.ask(on_machine(world, store, 7), world))
    assert.equal(2, #world.posts)
    assert.is_true(world.now - began <= 3 + 1 + 0.5)
  end)
end)
