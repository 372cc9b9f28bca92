-- A plain script that calls token() seldom (FIELD S36): nobody moves its refresh on between two
-- calls, and it gets it all the same. Here `skip` is the time between calls, `ask` the call.

local auth = require "corebank.auth"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

local keep = fake.keep

-- Calls token() every so many seconds. Returns the longest call and how many tokens it was given.
local function call_every(seconds, kept, world, times)
  local longest, tokens, last = 0, 0, nil
  for _ = 1, times do
    local began, got = world.now, nil
    world.call(function() got = assert(kept:token()) end)
    while not got do world.pass(0.02, 0.02) end
    longest = math.max(longest, world.now - began)
    assert.is_false(got:expired())
    if got.accessToken ~= last then tokens, last = tokens + 1, got.accessToken end
    world.skip(seconds)
  end
  return longest, tokens
end

describe("a script that calls token() seldom", function()
  it("S36: every 2.5 s has one POST for each token", function()
    for takes = 0, 3, 0.25 do
      local kept, world = keep(fake.steady(16, takes), {refreshAhead = 8})
      local longest, tokens = call_every(2.5, kept, world, 100)
      assert.is_true(#world.posts - tokens <= 1, takes)   -- the last may be on its way
      assert.is_true(tokens < 35)
      assert.is_true(longest <= math.max(takes, 1) + 0.05, longest)
    end
  end)

  -- A request that was left alone beyond its time limit is lost; once a script has seen that, it
  -- waits for the next.
  for _, seconds in ipairs{3, 5, 9, 11, 30, 60} do
    it("every " .. seconds .. " s has one POST for each token, but for one", function()
      local kept, world = keep(fake.steady(900, 0.05))
      local longest, tokens = call_every(seconds, kept, world, 10000 / seconds)
      assert.is_true(#world.posts - tokens <= 1, #world.posts - tokens)
      assert.is_true(longest <= 0.1, longest)
      assert.is_true(tokens <= 15 and tokens >= 10, tokens)
    end)
  end

  for _, seconds in ipairs{2.5, 10, 60} do
    it("every " .. seconds .. " s is kept waiting for a moment, and seldom, by a bank that hangs",
      function()
        local kept, world = keep(function(n)
          return {token = "canary-token-" .. n, validity = 3600, takes = n > 1 and 1000 or nil}
        end)
        world.call(function() kept:token() end)
        world.skip(3310)
        local token, posts, waited = kept:peek(), #world.posts, 0
        for _ = 1, 240 / seconds do
          local began, got = world.now, nil
          world.call(function() got = kept:token() end)
          while not got do world.pass(0.05, 0.05) end
          assert.equal(token, got)
          assert.is_true(world.now - began <= 1.05)
          if world.now > began then waited = waited + 1 end
          world.skip(seconds)
        end
        assert.is_true(waited <= 5, waited)
        assert.is_true(#world.posts - posts <= 6, #world.posts)
      end)
  end

  for what, answer in pairs{["says no"] = {status = 401, takes = 0.1},
    ["fails"] = {status = 503, takes = 0.1}, ["is not there"] = {failure = "connect", takes = 0.1},
  } do
    it("keeps its token when the bank " .. what .. ", and hears of it", function()
      local failed = 0
      local kept, world = keep(function(n)
        return n == 1 and {token = "canary-token-1", validity = 3600} or answer
      end, {onEvent = function(event)
        if event.name == "failed" or event.name == "denied" then failed = failed + 1 end
      end})
      world.call(function() kept:token() end)
      world.random = function() return 1 end
      world.skip(3310)
      local longest, tokens = call_every(2.5, kept, world, 100)
      assert.is_true(longest <= 0.15 and tokens == 1)
      assert.is_true(#world.posts <= 10, #world.posts)
      assert.is_true(#world.posts - 1 - failed <= 1, failed)   -- one may be on its way
    end)
  end

  it("is never kept waiting when it calls often", function()
    local kept, world = keep(fake.steady(16, 1), {refreshAhead = 8})
    world.call(function() kept:token() end)
    world.pass(1.5)
    for _ = 1, 1000 do
      assert.is_truthy(kept:token())   -- outside a coroutine: waiting would raise
      world.skip(0.5)
      world.settle()
    end
  end)

  it("has no turn at the bank while others need a token", function()
    local world = fake.world(function(n)
      return {token = "canary-token-" .. n, validity = 900, takes = n == 2 and 1000 or 0.1}
    end)
    local store = memory.new(world.system.boot)
    local pid = 1
    world.system.pid = function() return pid end
    local kept = keep(nil, {store = store}, world)
    fake.ask(kept, world)
    world.skip(730)
    kept:token()
    world.skip(3)
    fake.ask(kept, world)   -- waits a moment, in vain
    assert.is_true(kept:is_fetching())
    world.stop(kept.host)
    pid, world.host = 2, world.new_host()
    local other = keep(nil, {store = store}, world)
    other:look()
    other:invalidate(other:peek())
    local began = world.now
    assert.equal("canary-token-3", fake.ask(other, world).accessToken)
    assert.is_true(world.now - began <= 4.5, world.now - began)
  end)
end)

describe("a script that calls token() seldom, at the bank #transfer #slow", function()
  for scheme, where in pairs{["over TLS"] = "baseUrl", ["in plain HTTP"] = "plainUrl"} do
    it("S36: has one POST for each token, " .. scheme, function()
      local bank = sandbox.bank()
      local scenario = bank:scenario{{validity = 8, delay = 0.2}}
      local kept = auth.client(survive.options{baseUrl = scenario[where], refreshAhead = 4,
        leeway = 0.2})
      local seen, tokens = {}, 0
      local function count(token)
        if not seen[token.accessToken] then tokens = tokens + 1 end
        seen[token.accessToken] = true
      end
      for _ = 1, 6 do
        count(assert(kept:token()))
        socket.sleep(2.3)
      end
      kept:settle()
      count(kept:peek() or assert(kept:token()))
      assert.equal(tokens, scenario:posts())
      assert.equal(0, kept:explain().counters.failed or 0)
      kept:close()
    end)
  end
end)
