-- Who has the turn to ask the bank, and until when.

local core = require "corebank.auth.core"
local fake = require "spec.support.fake"
local secret = require "corebank.auth.options.secret"
local sharing = require "spec.support.sharing"

local ask, steady = fake.ask, fake.steady

describe("clients with one store", function()
  it("put no failure of their own there when their turn is over: another one asks", function()
    local world = sharing.world(function(n)
      return {token = "canary-token-" .. n, validity = 1000, takes = n == 1 and 60 or 5}
    end)
    local first, second, third = world.process(), world.process(), world.process()
    assert(coroutine.resume(coroutine.create(function() first:token() end)))
    world.stop(first.host)
    world.skip(13)
    local got
    world.call(function() second:token() end)
    world.pass(0.5, 0.05)
    world.call(function() got = {third:token()} end)
    world.pass(0.5, 0.05)
    world.go_on(first.host)
    world.pass(6, 0.05)
    assert.equal("canary-token-2", got[1] and got[1].accessToken, got[2])
  end)

  it("go on when the one that asks never comes back, after its lease", function()
    local world = sharing.world(steady(100, 2), {timeout = 5})
    local gone = world.process()
    local thread = coroutine.create(function() gone:token() end)
    assert(coroutine.resume(thread))
    assert.equal(1, #world.posts)
    world.stop(gone.host)   -- killed
    local problem
    local second = world.process()
    world.call(function() problem = select(3, second:token()) end)
    world.pass(5.5, 0.1)
    assert.equal("timeout", problem.code)
    assert.is_truthy(problem.message:find("another process", 1, true))
    assert.equal(0, problem.attempts)   -- none was made: nobody counts it as a call
    assert.equal(0, world.events[1].attempts)
    world.pass(2, 0.1)
    assert.equal("canary-token-2", ask(second, world).accessToken)
    assert.equal(2, #world.posts)
  end)

  for what, answer in pairs{
    token = {token = "canary-token-1", validity = 1000, takes = 1},
    failure = {status = 400, takes = 1},
  } do
    it("write no late " .. what .. " over what came of a later request", function()
      local world = sharing.world(function(n)
        if n == 1 then return answer end
        return answer.token and {token = "canary-token-2", validity = 100} or {status = 403}
      end, {timeout = 5})
      local asleep = world.process()
      local thread = coroutine.create(function() asleep:token() end)
      assert(coroutine.resume(thread))
      world.stop(asleep.host)
      world.skip(1)
      next(world.open).step()   -- the answer is there, and nobody looks at it
      world.skip(7)   -- until its lease is over
      ask(world.process(), world)
      asleep.host.poll()
      assert.is_false(asleep:is_fetching())
      assert.equal(2, #world.posts)
      local told = world.process()
      local token = told:look()
      assert.equal(answer.token and "canary-token-2", token and token.accessToken)
      assert.equal(not answer.token, (told:explain().problem or ""):find("403") ~= nil)
    end)
  end

  it("whose turn comes too late leave it to the next", function()
    local world = sharing.world(function(n)
      return {token = "canary-token-" .. n, validity = 1, takes = n > 1 and 30 or nil}
    end, {timeout = 5})
    local gone, late = world.process(), world.process()
    ask(late, world)
    world.skip(10)
    local thread = coroutine.create(function() gone:token() end)
    assert(coroutine.resume(thread))
    local problem
    world.call(function() problem = select(3, late:token()) end)
    world.pass(4.5, 0.1)
    gone:close()   -- its lease is free, and half a second is left
    world.pass(0.6, 0.1)
    assert.equal("timeout", problem.code)
    assert.equal(2, #world.posts)
    local told = world.process()
    told:look()
    assert.is_nil(told:explain().problem)   -- it is nobody else's: the bank was not asked
    world.call(function() late:token() end)
    assert.equal(3, #world.posts)
  end)
end)

describe("clients of one process", function()
  it("leave the turn to each other, too", function()
    local world = sharing.world(steady(100, 2))
    world.pid, world.random = 1, math.random
    local first, second = world.process(), world.process()
    world.call(function() first:token() end)
    world.call(function() second:token() end)
    world.pass(3, 0.05)
    assert.equal(1, #world.posts)
    assert.is_truthy(second:peek())
  end)
end)

describe("a token in the store", function()
  it("is refreshed by one whose secret is changed meanwhile: its turn is given back", function()
    local world = sharing.world(steady(1000, 7))
    local own = core.secret("canary-secret")
    local kept = world.process{clientSecret = own}
    world.call(function() kept:token() end)
    world.skip(7.1)
    kept.host.poll()
    world.skip(850)
    local function move_on(seconds)
      for _ = 1, seconds * 10 do
        kept:token()
        world.skip(0.1)
      end
    end
    move_on(2.5)
    own:replace(core.secret("canary-secret-new"))
    secret.changes = secret.changes + 1   -- as if its file had been read again
    move_on(2)
    kept:close()
    local other = world.process()
    other:forget()
    world.call(function() other:token() end)
    assert.equal(3, #world.posts)   -- at once
  end)
end)
