-- Clients on several hosts, each with a near store before a Redis that all share.

local fake = require "spec.support.fake"
local next_token = require "corebank.auth.client.next_token"
local new_fleet = require "spec.support.fleet"

local ask, steady = fake.ask, fake.steady

-- Two hosts with two processes each, whose clocks differ.
local function two_hosts(answer, changes)
  local fleet = new_fleet(answer)
  fleet.world.random = function() return 0 end
  local one, other = fleet.host{boot = 500, wall = 3600}, fleet.host{boot = -500, wall = -7200}
  return fleet, {one.process(changes), one.process(changes), other.process(changes),
    other.process(changes)}
end

local function tokens_of(all, world)
  local got = {}
  for i, kept in ipairs(all) do
    local token = ask(kept, world)
    got[i] = token and token.accessToken or "none"
  end
  return table.concat(got, " ")
end

describe("clients on two hosts with layered stores", function()
  it("share a token, and end it when the bank does", function()
    local fleet, all = two_hosts(steady(100))
    local world = fleet.world
    assert.equal(("canary-token-1 "):rep(4), tokens_of(all, world) .. " ")
    assert.equal(1, #world.posts)
    local ends = world.posts[1] + 100
    for _, kept in ipairs(all) do
      assert.near(ends - world.now, kept:peek():remaining(), 0.1)
      assert.is_true(kept:peek():remaining() <= ends - world.now)
    end
  end)

  it("ask Redis once for each host that finds the token", function()
    local fleet, all = two_hosts(steady(100))
    ask(all[1], fleet.world)
    local before = fleet.server.operations
    tokens_of(all, fleet.world)
    assert.equal(1, fleet.server.operations - before)
  end)

  it("read Redis only, once a lease for a refresh was refused, and take it if its owner dies",
    function()
      local fleet, all = two_hosts(steady(100, 0.9))
      local world = fleet.world
      tokens_of(all, world)
      world.skip(82)
      all[1]:token()
      world.pass(0.05, 0.05)   -- it asks the bank
      local before = fleet.server.operations
      for _ = 1, 16 do
        assert.is_truthy(all[3]:token())
        world.pass(0.05, 0.05)
      end
      local count = fleet.server.operations - before
      assert.is_true(count >= 4 and count <= 5, count)   -- 4 reads, 1 lease
      all[1].flight.task:cancel()
      fleet.server:eval("redis.call('DEL',KEYS[1])", 1,
        "corebank-auth:{" .. all[1].shared:name_of_entry() .. "}:lease")
      for _ = 1, 50 do
        all[3]:token()
        world.pass(0.05, 0.05)
      end
      assert.equal("canary-token-3", all[3]:peek().accessToken)
    end)

  it("refresh it once for all", function()
    local fleet, all = two_hosts(steady(100))
    tokens_of(all, fleet.world)
    fleet.world.skip(85)
    for _ = 1, 4 do
      tokens_of(all, fleet.world)
      fleet.world.pass(0.5, 0.05)
    end
    assert.equal(("canary-token-2 "):rep(4), tokens_of(all, fleet.world) .. " ")
    assert.equal(2, #fleet.world.posts)
  end)

  it("K15: look into Redis for a newer token when theirs is rejected, before they ask the bank",
    function()
      local fleet, all = two_hosts(steady(100))
      local world = fleet.world
      tokens_of(all, world)
      local old = all[3]:peek()
      all[1]:invalidate(all[1]:peek())
      world.pass(1, 0.05)
      assert.equal("canary-token-2", ask(all[1], world).accessToken)
      assert.equal("canary-token-1", ask(all[3], world).accessToken)
      assert.is_true(all[3]:invalidate(old))
      world.pass(1, 0.05)
      assert.equal("canary-token-2", ask(all[3], world).accessToken)
      assert.is_true(all[4]:invalidate(all[4]:peek()))
      world.pass(1, 0.05)
      assert.equal("canary-token-2", ask(all[4], world).accessToken)
      assert.equal(2, #world.posts)
    end)

  it("share a denial and a Retry-After", function()
    for _, given in ipairs{{status = 401}, {status = 503, retryAfter = 30}} do
      local fleet, all = two_hosts(function() return given end)
      local seen = {}
      for i, kept in ipairs(all) do
        local _, _, problem = ask(kept, fleet.world)
        seen[i] = problem.status
      end
      assert.same({given.status, given.status, given.status, given.status}, seen)
      assert.equal(1, #fleet.world.posts)
    end
  end)

  it("keep another secret's entries apart", function()
    local fleet, all = two_hosts(steady(100))
    local host = fleet.host()
    tokens_of(all, fleet.world)
    assert.equal("canary-token-2",
      ask(host.process{clientSecret = "canary-secret-rotated"}, fleet.world).accessToken)
    assert.equal("canary-token-1", ask(host.process(), fleet.world).accessToken)
  end)

  it("K6: ask the bank once for each host while Redis is away", function()
    local fleet, all = two_hosts(steady(100))
    fleet.server.up = false
    assert.equal("canary-token-1 canary-token-1 canary-token-2 canary-token-2",
      tokens_of(all, fleet.world))
    fleet.world.skip(85)
    for _ = 1, 4 do
      tokens_of(all, fleet.world)
      fleet.world.pass(0.5, 0.05)
    end
    assert.equal(4, #fleet.world.posts)
  end)

  it("K15: offer a token that Redis did not take, when it is back and has none", function()
    local fleet, all = two_hosts(steady(100))
    local world = fleet.world
    fleet.server.up = false
    ask(all[1], world)
    fleet.server.up = true
    for _ = 1, 3 do
      world.call(function() next_token.tend(all[1]) end)
      world.pass(1, 0.05)
    end
    assert.equal("canary-token-1", ask(all[3], world).accessToken)
    assert.equal(1, #world.posts)
    local before = fleet.server.operations
    world.call(function() next_token.tend(all[1]) end)
    assert.equal(before, fleet.server.operations)
  end)

  it("K15: do not offer it in place of a newer one", function()
    local fleet, all = two_hosts(steady(100))
    local world = fleet.world
    fleet.server.up = false
    ask(all[1], world)
    world.pass(1)
    ask(all[3], world)
    fleet.server.up = true
    for _, kept in ipairs{all[3], all[1], all[3]} do
      for _ = 1, 3 do
        world.call(function() next_token.tend(kept) end)
        world.pass(1, 0.05)
      end
    end
    assert.equal("canary-token-2", ask(fleet.host().process(), world).accessToken)
    local before = fleet.server.operations
    for _, kept in ipairs(all) do world.call(function() next_token.tend(kept) end) end
    assert.equal(before, fleet.server.operations)
  end)

  it("have a token when Redis has lost all", function()
    local fleet, all = two_hosts(steady(100))
    ask(all[1], fleet.world)
    fleet.server:flush()
    assert.equal("canary-token-1", ask(all[2], fleet.world).accessToken)
    assert.equal(1, #fleet.world.posts)
  end)
end)
