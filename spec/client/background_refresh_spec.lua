-- Refreshes in the background: of plain scripts, that fail, and of a client that is tended.

local next_token = require "corebank.auth.client.next_token"
local fake = require "spec.support.fake"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

describe("a refresh that nothing continues", function()
  -- A script that asks every few minutes: a refresh in the background makes no progress.
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
      for _, wait in ipairs{function(kept) kept:settle() end, next_token.hand_out_and_refresh} do
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
      next_token.tend(kept)
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
      next_token.tend(kept)
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
    next_token.tend(kept)
    assert.equal(0, #world.posts)
  end)
end)
