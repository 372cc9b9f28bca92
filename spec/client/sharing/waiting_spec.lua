-- Clients that wait for another one to get the token.

local next_token = require "corebank.auth.client.next_token"
local fake = require "spec.support.fake"
local sharing = require "spec.support.sharing"

local ask, steady = fake.ask, fake.steady

describe("clients with one store", function()
  it("20 of them, cold: 1 POST, and all have the token", function()
    local world = sharing.world(steady(100, 2))
    local got = {}
    for i = 1, 20 do
      local kept = world.process()
      world.call(function() got[i] = kept:token() end)
    end
    world.pass(3, 0.05)
    assert.equal(1, #world.posts)
    for i = 1, 20 do assert.equal("canary-token-1", got[i].accessToken) end
  end)

  -- The first has begun a refresh in the background. In a plain script nothing continues it between
  -- two calls. The second has no token any more.
  local function refreshing(takes)
    local world = sharing.world(steady(1000, takes))
    local first, second = world.process(), world.process()
    ask(first, world)
    local token = ask(second, world)
    world.skip(850)
    world.stop(first.host)
    first:token()
    assert.is_true(first:is_fetching())
    second:invalidate(token)
    return world, first, second
  end

  local function begin_to_ask(kept, world)
    local asked = {began = world.now}
    world.call(function()
      asked.token = kept:token()
      asked.took = world.now - asked.began
    end)
    return asked
  end

  it("wait no longer for one that is heard of no more than it may be left alone", function()
    local world, _, second = refreshing(0.1)
    local asked = begin_to_ask(second, world)
    world.pass(4.5, 0.05)
    assert.equal("canary-token-3", asked.token.accessToken)
    assert.is_true(asked.took >= 3.9, asked.took)
  end)

  it("leave the turn to one that is asked again in time, however long its bank takes", function()
    local world, first, second = refreshing(8)
    local asked = begin_to_ask(second, world)
    for _ = 1, 5 do
      world.pass(1.8, 0.05)
      first:token()
    end
    world.pass(0.2, 0.05)
    assert.equal("canary-token-2", asked.token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("leave it to one that is moved on by another, waited for or not", function()
    local world, first, second = refreshing(8)
    local asked = begin_to_ask(second, world)
    for _ = 1, 90 do
      world.pass(0.1, 0.05)
      first.host.poll()
    end
    assert.equal("canary-token-2", asked.token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("wait for nobody beyond the end of a call, however often it is asked for", function()
    local world = sharing.world(function(n)
      return {token = "canary-token-" .. n, validity = 1000, takes = n == 2 and 100 or 0.1}
    end)
    local first, second = world.process(), world.process()
    first.host.longestIdle, second.host.longestIdle = nil, nil   -- as in nginx
    ask(first, world)
    local token = ask(second, world)
    world.skip(850)
    first:token()
    local began = world.now
    second:invalidate(token)
    for _ = 1, 95 do
      world.skip(0.1)
      first:token()
    end
    world.stop(first.host)   -- killed
    repeat until ask(second, world)
    assert.is_true(world.now - began < 12.5, world.now - began)
  end)

  it("leave it to one that is waited for, however it began", function()
    for _, wait in ipairs{function(kept) kept:settle() end, next_token.hand_out_and_refresh} do
      local world, first, second = refreshing(8)
      assert(coroutine.resume(coroutine.create(wait), first))
      local asked = begin_to_ask(second, world)
      world.pass(8.2, 0.05)
      assert.is_nil(asked.token)   -- nobody has moved the first one on
      first.host.poll()
      world.pass(0.2, 0.05)
      assert.equal("canary-token-2", asked.token.accessToken)
      assert.equal(2, #world.posts)
    end
  end)

  it("and a short timeout have all of it for the bank, however long they rest first", function()
    for _, timeout in ipairs{0.5, 1} do
      local world = sharing.world(steady(1, 0.4), {timeout = timeout})
      local kept = world.process()
      for n = 1, 5 do
        local began = world.now
        local token, message = ask(kept, world)
        assert.equal("canary-token-" .. n, token and token.accessToken, message)
        assert.is_true(world.now - began <= timeout + 1.05)
        kept:forget()   -- as if it had ended: a second has not passed since it asked
      end
      assert.equal(5, #world.posts)
    end
  end)

  it("that wait in vain do not say that the bank failed", function()
    local world = sharing.world(function(n)
      return {token = "canary-token-" .. n, validity = 1, takes = n == 2 and 30 or nil}
    end, {timeout = 5})
    local gone, late = world.process(), world.process()
    ask(late, world)   -- it has had its turn before
    world.skip(10)
    assert(coroutine.resume(coroutine.create(function() gone:token() end)))
    local problem
    world.call(function() problem = select(3, late:token()) end)
    world.stop(gone.host)   -- killed
    world.pass(5.5, 0.1)
    assert.equal("timeout", problem.code)
    local told = world.process()
    told:look()
    assert.is_nil(told:explain().problem)
  end)

  it("see what another has got within a tenth of a second, and at once when it was quick",
    function()
      for takes, latest in pairs{[0.02] = 0.03, [2] = 0.11} do
        local world = sharing.world(steady(100, takes))
        local first, second = world.process(), world.process()
        world.call(function() first:token() end)
        local came
        world.call(function()
          second:token()
          came = world.now
        end)
        world.pass(takes + 0.2, 0.005)
        assert.is_true(came - 1000 - takes <= latest, came)
      end
    end)
end)
