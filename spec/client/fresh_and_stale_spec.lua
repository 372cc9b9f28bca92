-- When a client asks for a token, refreshes it in the background, and hands it out no more.

local fake = require "spec.support.fake"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

describe("a client", function()
  it("sends nothing before it is asked, then fetches once and hands out the same", function()
    local kept, world = keep(steady(100))
    assert.equal(0, #world.posts)
    assert.is_nil(kept:peek())
    local token = ask(kept, world)
    world.pass(10)
    assert.equal(token, kept:token())
    assert.equal(token, kept:peek())
    assert.equal(1, #world.posts)
  end)

  it("refreshes behind the caller in the last 20 %, and hands the old one out meanwhile", function()
    local kept, world = keep(steady(100, 2))
    local first = ask(kept, world)   -- arrives after 2 s, with 98 of its 100 left
    world.skip(78)
    assert.equal(first, kept:token())
    assert.equal(1, #world.posts)
    world.skip(1)
    assert.equal(first, kept:token())   -- starts the refresh
    assert.equal(first, kept:token())
    assert.equal(2, #world.posts)
    world.pass(3)
    local second = kept:token()
    assert.equal("canary-token-2", second.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("fetches and waits inside the leeway: a token with less left is never handed out", function()
    local kept, world = keep(steady(100, 1))
    ask(kept, world)
    world.skip(90)   -- 9 s of 99 are left: less than 10 %
    assert.is_nil(kept:peek())
    local token = ask(kept, world)
    assert.equal("canary-token-2", token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("keeps a leeway of a millisecond, too, whatever the cheap clocks say", function()
    local kept, world = keep(steady(2), {leeway = 0.001, refreshAhead = 0.001})
    local system = world.system
    local function tick(now) return math.floor(now * 100) / 100 end
    function system.steady() return tick(world.now) end
    function kept.before(steadily, wall)
      return tick(world.now) < steadily and tick(world.now + world.skew) < wall
    end
    world.now = 1000.0003
    ask(kept, world)
    for _ = 1, 2500 do
      world.skip(0.001)
      local token = kept:token()
      if token then assert.is_true(token:remaining() > 0.001) else world.pass(0.001, 0.001) end
    end
    assert.is_true(#world.posts >= 2)
  end)

  it("takes leeway and refreshAhead from its options", function()
    local kept, world = keep(steady(100), {leeway = 30, refreshAhead = 45})
    ask(kept, world)
    world.skip(54)
    kept:token()
    assert.equal(1, #world.posts)
    world.skip(2)
    kept:token()
    assert.equal(2, #world.posts)
  end)

  it("asks no more than 300 s ahead, and keeps no more than 10 s of leeway", function()
    local kept, world = keep(steady(86400))
    ask(kept, world)
    assert.equal(86400 - 300, kept:explain().refreshIn)
    world.skip(86400 - 10.5)
    assert.is_truthy(kept:peek())
    world.skip(1)
    assert.is_nil(kept:peek())
  end)

  it("whose leeway is longer than the token lives is told so", function()
    local kept, world = keep(steady(20), {leeway = 30})
    local token, message, problem = ask(kept, world)
    assert.is_nil(token)
    assert.equal("expired", problem.code)
    assert.is_truthy(message:find("leeway", 1, true))
    assert.equal(1, problem.attempts)
    assert.equal(1, kept:explain().counters.failed)
  end)

  it("whose leeway is too long has a problem with the status and the number of tries", function()
    local event
    local kept, world = keep(function(n)
      return n < 3 and {status = 503} or {token = "canary-token", validity = 20, status = 201}
    end, {leeway = 30, attempts = 3, onEvent = function(told) event = event or told end})
    local _, _, problem = ask(kept, world)
    for _, told in ipairs{problem, event} do
      assert.same({"expired", 201, 3}, {told.code, told.status, told.attempts})
    end
  end)

  it("whose refreshAhead is longer than the token lives refreshes in its second half", function()
    local kept, world = keep(steady(100), {refreshAhead = 5000})
    ask(kept, world)
    world.skip(49)
    kept:token()
    assert.equal(1, #world.posts)
  end)

  it("spreads the refreshes of 1000 clients over at least 10 % of the window", function()
    local earliest, latest = math.huge, -math.huge
    for _ = 1, 1000 do
      local kept, world = keep(steady(1000))
      world.random = math.random
      ask(kept, world)
      local refreshIn = kept:explain().refreshIn
      earliest, latest = math.min(earliest, refreshIn), math.max(latest, refreshIn)
    end
    assert.is_true(earliest >= 800 and latest < 900)
    assert.is_true(latest - earliest >= 0.1 * 200)
  end)

  for _, lifetime in ipairs{1, 5, 60} do
    it(("lives with a lifetime of %d s: at most one POST a second"):format(lifetime), function()
      local kept, world = keep(steady(lifetime))
      local answered = 0
      for _ = 1, 400 do
        local token = ask(kept, world)
        assert.is_false(token:expired())
        answered = answered + 1
        world.pass(0.05, 0.05)
      end
      assert.equal(400, answered)
      for i = 2, #world.posts do
        assert.is_true(world.posts[i] - world.posts[i - 1] >= 1 - 1e-6)
      end
    end)
  end
end)

describe("a bank that gives no more time", function()
  it("but another token: the new one is handed out, for the old one may have ended", function()
    local kept, world = keep(function(n, now)
      return {token = "canary-token-" .. n, validity = 1100 - now}
    end)
    ask(kept, world)
    world.skip(81)
    kept:token()
    assert.equal("canary-token-2", kept:token().accessToken)
    world.skip(5)
    kept:token()
    assert.equal(2, #world.posts)
  end)

  it("is not asked for again before the leeway", function()
    local kept, world = keep(function(_, now)
      return {token = "canary-token-same", validity = 2000 - now}
    end)
    ask(kept, world)
    for _ = 1, 989 do
      world.skip(1)   -- until 11 s are left; the leeway is 10
      kept:token()
    end
    assert.equal(2, #world.posts)
    world.skip(1)   -- nor is it handed out when the bank has asked for no more
    assert.is_nil(kept:peek())
    kept:token()
    assert.equal(3, #world.posts)
  end)

  it("is not believed to have given any by rounding up", function()
    local kept, world = keep(function(n)
      return {token = "canary-token", validity = n == 1 and 10 or 1}
    end, {leeway = 0.1})
    ask(kept, world)
    world.skip(9.4)
    kept:token()   -- 0.6 s are left, and the bank says 1
    assert.equal(2, #world.posts)
    world.skip(0.65)
    assert.is_false(ask(kept, world):expired())
    assert.equal(3, #world.posts)
  end)

  it("is one that gives less than a second more", function()
    for more, second in pairs{[0.75] = 20, [1] = 100} do
      local kept, world = keep(function(n, now)
        return {token = "canary-token", validity = n == 1 and 100 or 1100 - now + more}
      end)
      ask(kept, world)
      world.skip(80)
      kept:token()
      assert.equal(2, #world.posts)
      local left = kept:peek():remaining()
      assert.equal(second == 100, left > 20, more)
    end
  end)
end)

describe("time", function()
  it("that jumps ahead on the wall clock ends a token early at most", function()
    local kept, world = keep(steady(100))
    ask(kept, world)
    world.skew = world.skew + 7200
    assert.is_nil(kept:peek())
    assert.equal("canary-token-2", ask(kept, world).accessToken)
  end)

  it("that jumps back on the wall clock does not make a token last", function()
    local kept, world = keep(steady(100))
    ask(kept, world)
    world.skew = world.skew - 7200
    world.skip(91)
    assert.is_nil(kept:peek())
    assert.equal("canary-token-2", ask(kept, world).accessToken)
  end)
end)
