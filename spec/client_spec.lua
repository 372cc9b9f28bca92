-- What a client does with its token over time, in a world without sockets.

local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local fake = require "spec.support.fake"
local options = require "corebank.auth.options.options"
local survive = require "spec.support.survive"

local ask, steady = fake.ask, fake.steady

local function keep(answer, changes)
  local given = {baseUrl = "https://bank.example", clientId = "id", clientSecret = "canary-secret",
    attempts = 1}
  for name, value in pairs(changes or {}) do given[name] = value end
  local settings = assert(options.read(given, true))
  local world = fake.world(answer)
  world.random = function() return 0 end
  local kept = client.new(settings, world.system, world.host,
    function() options.release(settings) end)
  return kept, world, settings
end

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

  it("whose leeway is too long is told how many tries there were", function()
    local event
    local kept, world = keep(function(n)
      return n < 3 and {status = 503} or {token = "canary-token", validity = 20}
    end, {leeway = 30, attempts = 3, onEvent = function(told) event = event or told end})
    local _, _, problem = ask(kept, world)
    for _, told in ipairs{problem, event} do
      assert.same({"expired", 200, 3}, {told.code, told.status, told.attempts})
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

describe("a refresh that nobody moves on", function()
  -- A script that asks every few minutes: what it starts behind its own back gets nowhere.
  local function neglected(changes)
    local told = {}
    changes = changes or {}
    changes.onEvent = function(event) told[#told + 1] = event.name end
    local kept, world = keep(steady(900, 0.1), changes)
    ask(kept, world)
    world.skip(730)
    assert.equal("canary-token-1", kept:token().accessToken)
    assert.equal(2, #world.posts)
    return kept, world, told
  end

  it("is no failure: whoever needs a token gets one", function()
    local kept, world, told = neglected()
    world.skip(360)
    local token, message = ask(kept, world)
    assert.equal("canary-token-3", token and token.accessToken, message)
    assert.equal("fetched waited refreshed waited", table.concat(told, " "))
    assert.is_nil(next(world.open))
  end)


  it("goes on when it is left alone for no more than 2 s", function()
    local kept, world, told = neglected()
    world.skip(1.9)
    kept:token()
    assert.equal("canary-token-2", kept:token().accessToken)
    assert.equal("fetched waited refreshed", table.concat(told, " "))
  end)

  for seconds, posts in pairs{[5] = 2, [11] = 3} do
    it("for " .. seconds .. " s is " .. (posts == 2 and "kept" or "begun anew")
      .. " for whoever waits for it to be done", function()
      for _, wait in ipairs{function(kept) kept:settle() end, function(kept, world)
        client.token_and_refresh(kept, world.host.await)
      end} do
        local kept, world = neglected()
        world.skip(seconds)
        local done
        world.call(function()
          wait(kept, world)
          done = true
        end)
        while not done do world.pass(0.05, 0.05) end
        assert.equal("canary-token-" .. posts, kept:peek().accessToken)
        assert.equal(posts, #world.posts)
        assert.is_nil(next(world.open))
      end
    end)
  end

  it("is none that somebody waits for, however long a handler or a store takes", function()
    local kept, world = keep(steady(900, 0.5))
    local got
    world.call(function() got = kept:token() end)
    world.skip(3)
    world.settle()
    world.settle()
    assert.equal("canary-token-1", got.accessToken)
    assert.equal(1, #world.posts)
    world.skip(886.8)
    kept:token()   -- begins the refresh, just before the end
    world.skip(0.3)
    world.call(function() got = kept:token() end)
    world.skip(3)
    world.settle()
    world.settle()
    assert.equal("canary-token-2", got.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("may take long where calls are not far apart", function()
    local kept, world = keep(steady(900, 5))
    ask(kept, world)
    world.skip(730)
    for _ = 1, 4 do
      assert.equal("canary-token-1", kept:token().accessToken)
      world.skip(1.5)
    end
    kept:token()
    assert.equal("canary-token-2", kept:token().accessToken)
    assert.equal(2, #world.posts)
  end)

  it("keeps no later one off once the bank has given a token", function()
    local kept, world = keep(function(n)
      return {token = "canary-token-" .. n, validity = 60, takes = n == 2 and 100 or nil}
    end)
    ask(kept, world)
    world.skip(49)
    kept:token()
    world.skip(3)
    ask(kept, world)   -- waits a moment, in vain
    world.skip(8)
    assert.equal("canary-token-3", ask(kept, world).accessToken)
    world.skip(49)
    kept:token()
    assert.equal(4, #world.posts)
  end)

  it("may wait for its turn as long as it has to", function()
    local kept, world = keep(function(n)
      return n == 2 and {status = 503, retryAfter = 5}
        or {token = "canary-token-" .. n, validity = 900}
    end, {attempts = 2})
    ask(kept, world)
    world.skip(730)
    kept:token()
    world.skip(6)
    kept:token()
    assert.equal("canary-token-3", kept:token().accessToken)
  end)
end)

describe("callers who wait together", function()
  it("share one flight and its token", function()
    local kept, world = keep(steady(100, 2))
    local got = {}
    for i = 1, 50 do world.call(function() got[i] = kept:token() end) end
    world.pass(3)
    assert.equal(50, #got)
    for i = 2, 50 do assert.equal(got[1], got[i]) end
    assert.equal(1, #world.posts)
  end)

  it("share its failure, too: nobody tries in turn", function()
    local kept, world = keep(function() return {failure = "timeout", takes = 3} end)
    local codes = {}
    for i = 1, 20 do world.call(function() codes[i] = select(3, kept:token()).code end) end
    world.pass(3.5)
    assert.equal(20, #codes)
    assert.equal(1, #world.posts)
  end)

  it("share it, too, when they first have to rest for it", function()
    local kept, world = keep(function() return {failure = "connect"} end)
    ask(kept, world)
    world.pass(0.5)
    local codes = {}
    for i = 1, 20 do world.call(function() codes[i] = select(3, kept:token()).code end) end
    world.pass(0.75)
    assert.equal(20, #codes)
    assert.equal(2, #world.posts)
  end)

  it("get the token although the one who started the flight is gone", function()
    local kept, world = keep(steady(100, 2))
    world.call(function() kept:token() end)
    world.running = {}   -- nobody will ever resume it
    local got
    world.call(function() got = kept:token() end)
    world.pass(3)
    assert.equal("canary-token-1", got.accessToken)
    assert.equal(1, #world.posts)
  end)

  it("are told when the client is closed", function()
    local kept, world, settings = keep(function() return {status = 401, takes = 2} end)
    local problem
    world.call(function() problem = select(3, kept:token()) end)
    kept:close()
    kept:close()
    world.pass(3)
    assert.equal("closed", problem.code)
    assert.is_nil(next(world.open))   -- what was in the air is stopped
    assert.is_false(core.is_secret(settings.clientSecret))
    local ok, message = pcall(function() return (kept:token()) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("client_spec.lua:%d+: the client is closed"), message)
    assert.is_nil(kept:peek())
  end)
end)

describe("a flight that raises", function()
  it("raises for everybody who waits, and the next call starts anew", function()
    local kept, world = keep(function(n)
      return n == 1 and {fault = "not enough memory", takes = 1}
        or {token = "canary-token-2", validity = 100}
    end)
    local waiters = {}
    for i = 1, 3 do
      waiters[i] = coroutine.create(function() return kept:token() end)
      assert(coroutine.resume(waiters[i]))
    end
    assert.has_error(function() world.pass(2) end, "not enough memory")   -- as the timer would
    for _, waiter in ipairs(waiters) do
      local ok, why = coroutine.resume(waiter)
      assert.is_false(ok)
      assert.equal("not enough memory", why)
    end
    assert.is_nil(next(world.open))
    assert.equal("canary-token-2", ask(kept, world).accessToken)
  end)

  it("before it is under way leaves nothing behind that hinders", function()
    local kept, world = keep(steady(100))
    local transfer = world.system.transfer
    world.system.transfer = function() error("interrupted", 0) end
    assert.has_error(function() kept:token() end, "interrupted")
    world.system.transfer = transfer
    world.pass(1)
    assert.equal("canary-token-1", ask(kept, world).accessToken)
  end)
end)

describe("an event handler", function()
  it("may close the client: nothing is sent after that, and nobody gets a token", function()
    for _, when in ipairs{"fetched", "waited", "failed"} do
      local kept
      local world
      kept, world = keep(function()
        if when == "failed" then return {failure = "connect", takes = 0.5} end
        return {token = "canary-token", validity = 100, takes = 0.5}
      end, {onEvent = function(event) if event.name == when then kept:close() end end})
      local token, _, problem = ask(kept, world)
      local posts = #world.posts
      assert.equal(1, posts)
      assert.is_true(token == nil and problem.code == "closed" or when == "waited")
      assert.is_nil(kept:peek())
      assert.equal("closed", kept:explain().state)
      world.pass(5)
      assert.equal(posts, #world.posts)
    end
  end)
end)

describe("a refresh that fails", function()
  local function failing_after_first(failure)
    return function(n)
      return n == 1 and {token = "canary-token-1", validity = 1000} or {failure = failure}
    end
  end

  it("takes no valid token away, and is tried again with growing gaps", function()
    local kept, world = keep(failing_after_first("connect"))
    world.random = function() return 1 end
    local token = ask(kept, world)
    world.skip(826)
    local ends = world.now + 70
    while world.now < ends do
      assert.equal(token, kept:token())
      world.skip(0.5)
    end
    local gaps = {}
    for i = 3, #world.posts do gaps[i - 2] = world.posts[i] - world.posts[i - 1] end
    assert.same({1, 2, 4, 8, 16, 32}, gaps)
  end)

  it("does not switch early refresh off", function()
    local kept, world = keep(function(n)
      return n == 2 and {failure = "network"} or {token = "canary-token-" .. n, validity = 100}
    end)
    ask(kept, world)
    world.skip(81)
    kept:token()
    world.skip(2)
    kept:token()
    assert.equal("canary-token-3", kept:peek().accessToken)
  end)
end)

describe("a client that is tended", function()
  it("has a token before anybody asks, and refreshes it in time", function()
    local kept, world = keep(steady(100, 0.1))
    for _ = 1, 1000 do
      client.tend(kept)
      world.pass(0.5)
      if kept:peek() then assert.is_true(kept:peek():remaining() > 15) end
    end
    assert.is_true(#world.posts >= 5 and #world.posts <= 7, #world.posts)
  end)

  it("asks a bank that is down with growing gaps, until a caller is in need", function()
    local kept, world = keep(function() return {failure = "connect"} end)
    world.random = function() return 1 end
    local ends = world.now + 70
    while world.now < ends do
      client.tend(kept)
      world.skip(0.5)
    end
    local gaps = {}
    for i = 2, #world.posts do gaps[i - 1] = world.posts[i] - world.posts[i - 1] end
    assert.same({1, 2, 4, 8, 16, 32}, gaps)
    ask(kept, world)
    assert.equal(8, #world.posts)
  end)

  it("is closed, and nothing happens", function()
    local kept, world = keep(steady(100))
    kept:close()
    client.tend(kept)
    assert.equal(0, #world.posts)
  end)
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

describe("a denial", function()
  local denied = function() return {status = 401} end

  it("is remembered: 10 more calls, no POST", function()
    local kept, world = keep(denied)
    local _, message, first = ask(kept, world)
    assert.is_nil(first.remembered)
    for _ = 1, 10 do
      world.skip(0.4)
      local token, again, problem = ask(kept, world)
      assert.is_nil(token)
      assert.equal(message, again)
      assert.equal("denied", problem.code)
      assert.equal(401, problem.status)
      assert.is_true(problem.remembered)
    end
    assert.equal(1, #world.posts)
  end)

  it("is asked about again after 5 s, doubling to 60", function()
    local kept, world = keep(denied)
    for _ = 1, 2000 do
      ask(kept, world)
      world.skip(0.25)
    end
    local gaps = {}
    for i = 2, 7 do gaps[i - 1] = world.posts[i] - world.posts[i - 1] end
    assert.same({5, 10, 20, 40, 60, 60}, gaps)
  end)

  it("takes no valid token away, and keeps the refresh behind it off, too", function()
    for _, answer in ipairs{{status = 401}, {status = 503, retryAfter = 300},
      {status = 429, retryAfter = 60}} do
      local kept, world = keep(function(n)
        return n == 1 and {token = "canary-token-1", validity = 2000} or answer
      end)
      local token = ask(kept, world)
      world.skip(1701)
      for _ = 1, 50 do
        assert.equal(token, kept:token())
        world.skip(0.08)
      end
      assert.equal(2, #world.posts)
    end
  end)

  it("is over once the bank has said yes: the next one begins at 5 s again", function()
    local kept, world = keep(function(n)
      return n == 3 and {token = "canary-token-3", validity = 100} or {status = 401}
    end)
    ask(kept, world)
    world.skip(5)
    ask(kept, world)
    assert.equal(10, kept:explain().latchedFor)
    world.skip(10)
    assert.is_true(kept:invalidate(ask(kept, world)))
    assert.is_nil(kept:explain().latchedFor)
    ask(kept, world)
    assert.equal(5, kept:explain().latchedFor)
  end)

  it("lasts as long as its Retry-After, if that is longer", function()
    local kept, world = keep(function() return {status = 403, retryAfter = 40} end)
    ask(kept, world)
    world.skip(39)
    assert.is_true(select(3, ask(kept, world)).remembered)
    assert.equal(1, #world.posts)
  end)

  it("and a Retry-After keeps callers off as long as it says", function()
    local kept, world = keep(function() return {status = 503, retryAfter = 30} end)
    ask(kept, world)
    world.skip(29)
    local _, _, problem = ask(kept, world)
    assert.is_true(problem.remembered and problem.retryAfter == 1)
    assert.equal(1, #world.posts)
    world.skip(1)
    ask(kept, world)
    assert.equal(2, #world.posts)
  end)
end)

describe("invalidate", function()
  it("drops the very token at hand, and the next call fetches at once", function()
    local kept, world = keep(steady(100))
    local first = ask(kept, world)
    assert.is_true(kept:invalidate(first))
    assert.is_nil(kept:peek())
    local second = ask(kept, world)
    assert.are_not.equal(first, second)
    world.skip(5)
    assert.is_false(kept:invalidate(first))   -- an older one: too late
    assert.is_false(kept:invalidate(nil))
    assert.equal(second, kept:peek())
    assert.equal(2, #world.posts)
  end)

  it("raises at its caller's line for what can be no token, such as one's accessToken", function()
    local kept, world = keep(steady(100))
    local token = ask(kept, world)
    for _, given in ipairs{token.accessToken, 42, true} do
      local ok, message = pcall(function() return (kept:invalidate(given)) end)
      assert.is_false(ok)
      assert.equal("a token is needed, not " .. type(given),
        message:match "^spec/client_spec.lua:%d+: invalidate: (.*)$")
    end
    assert.equal(token, kept:peek())
  end)

  it("drops what the bank has given again meanwhile, with a later end", function()
    local kept, world = keep(function() return {token = "canary-token", validity = 100} end)
    local first = ask(kept, world)
    world.skip(85)
    kept:token()
    world.pass(1)
    assert.are_not.equal(first, kept:peek())
    assert.is_true(kept:invalidate(first))
    assert.is_nil(kept:peek())
  end)

  it("of a new token that is rejected, too: one refresh in 5 s, however often", function()
    local kept, world = keep(steady(100))
    for _ = 1, 1000 do
      kept:invalidate(ask(kept, world))
      world.skip(0.02)
    end
    assert.is_true(#world.posts <= 1 + 20 / 5)
  end)

  it("keeps a flight that started before it from writing", function()
    local kept, world = keep(steady(100, 2))
    local first = ask(kept, world)
    world.skip(85)
    kept:token()   -- the refresh is on its way
    kept:invalidate(first)
    world.pass(3)
    assert.is_nil(kept:peek())
    assert.equal("canary-token-3", ask(kept, world).accessToken)
  end)
end)

describe("forget", function()
  it("leaves the token nowhere, and close does not, either, nor one that was rejected", function()
    for _, drop in ipairs{"forget", "close", "close after a rejection"} do
      local kept, world = keep(steady(100))
      local seen = setmetatable({ask(kept, world)}, {__mode = "v"})
      if drop:find("rejection") then kept:invalidate(seen[1]) end
      kept[drop:match("%l+")](kept)
      collectgarbage()
      collectgarbage()
      assert.is_nil(seen[1], drop)
    end
  end)

  it("forgets a denial, too: the bank is asked at the next call", function()
    local kept, world = keep(function() return {status = 401} end)
    ask(kept, world)
    world.skip(1)
    assert.is_true(kept:forget())
    assert.is_nil(select(3, ask(kept, world)).remembered)
    assert.equal(2, #world.posts)
  end)

  it("and look are of use without a store, too", function()
    local kept, world = keep(steady(100))
    assert.is_nil(kept:look())
    local token = ask(kept, world)
    assert.equal(token, kept:look())
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

describe("explain and events", function()
  it("say how long the bank took, and how long a caller waited", function()
    local events = {}
    local kept, world = keep(steady(100, 2),
      {onEvent = function(event) events[event.name] = event end})
    world.call(function() kept:token() end)
    world.pass(0.5)
    world.call(function() kept:token() end)
    world.pass(2)
    assert.equal(2, events.fetched.seconds)
    assert.equal(1, events.fetched.attempts)
    assert.is_true(events.waited.seconds >= 1.5 and events.waited.seconds <= 2)
    assert.is_true(kept:invalidate(kept:peek()))
    assert.equal("invalidated", events.invalidated.name)
    assert.equal(1, kept:explain().counters.invalidated)
  end)

  it("say why this token, until when, and what went wrong last; no secret", function()
    local events = {}
    local kept, world = keep(function(n)
      return n == 2 and {failure = "connect"} or {token = "canary-token-" .. n, validity = 100}
    end, {onEvent = function(event) events[#events + 1] = event end})
    assert.equal("none", kept:explain().state)
    ask(kept, world)
    assert.equal("fresh", kept:explain().state)
    world.skip(81)
    kept:token()
    local told = kept:explain()
    assert.equal("stale", told.state)
    assert.equal(19, told.remaining)
    assert.is_truthy(told.problem:find("cannot connect"))
    assert.equal(1, told.counters.failed)
    local line = "stale, from the bank, 19 s left.*last problem: cannot connect"
    assert.is_truthy(tostring(told):find(line))
    world.skip(30)
    assert.equal("expired", kept:explain().state)
    survive.no_canary{told, events, kept}
    local names = {}
    for i, event in ipairs(events) do names[i] = event.name end
    assert.same({"fetched", "failed"}, names)   -- nobody had to wait for the first
    assert.equal("https://bank.example", events[1].client)
  end)
end)
