-- A token that another client has put into the store.

local core = require "corebank.auth.core"
local fake = require "spec.support.fake"
local sharing = require "spec.support.sharing"
local survive = require "spec.support.survive"

local ask, steady = fake.ask, fake.steady

describe("clients with one store", function()
  it("fetch once: the next takes the token from the store, with all its fields", function()
    local world = sharing.world(steady(100, 2))
    local first = ask(world.process(), world)
    world.skip(10)
    local second = world.process()
    local token = ask(second, world)
    assert.equal(1, #world.posts)
    assert.equal(first.accessToken, token.accessToken)
    assert.equal(first.tokenValiditySec, token.tokenValiditySec)
    assert.equal("Bearer", token.tokenType)
    assert.is_true(math.abs(first:remaining() - token:remaining()) < 0.01)
    assert.is_true(math.abs(first:expiresAt() - token:expiresAt()) < 0.01)
    assert.equal("store", second:explain().source)
    assert.equal("memory", second:explain().store)
    assert.equal(1, sharing.count(world, "found"))
    survive.no_canary{second, second:explain(), world.events}
  end)

  -- A store is called within pcall, across which plain Lua 5.1 cannot yield: no store waits there.
  local stores_may_wait = coroutine.wrap(function() return (pcall(coroutine.yield, true)) end)()

  local test = stores_may_wait and it or pending
  test("fetch once, too, when two ask at once and the store keeps both waiting", function()
    local world = sharing.world(steady(100))
    ask(world.process(), world)
    local second = world.process()
    local get, got = world.store.get, {}
    function world.store.get(...)
      second.host.sleep(0.1)
      return get(...)
    end
    for i = 1, 2 do world.call(function() got[i] = second:token() end) end
    world.pass(2)
    assert.equal("canary-token-1", got[1].accessToken)
    assert.equal("canary-token-1", got[2].accessToken)
    assert.equal(1, #world.posts)
  end)

  it("keep a token that was found nowhere once it is forgotten", function()
    local world = sharing.world(steady(100))
    ask(world.process(), world)
    local second = world.process()
    local seen = setmetatable({ask(second, world)}, {__mode = "v"})
    second:forget()
    collectgarbage()
    collectgarbage()
    assert.is_nil(seen[1])
  end)

  it("look and forget: without a request", function()
    local world = sharing.world(steady(100))
    local first, second = world.process(), world.process()
    assert.is_nil(second:look())
    ask(first, world)
    assert.equal("canary-token-1", second:look().accessToken)
    assert.is_true(second:forget())
    assert.is_nil(second:peek())
    assert.is_nil(world.process():look())
    assert.equal(1, #world.posts)
    local delete, calls = world.store.delete, 0
    rawset(world.store, "delete", function(...)
      calls = calls + 1
      if calls == 1 then return nil, "is broken" end
      return delete(...)
    end)
    assert.is_false(second:forget())
    assert.is_true(second:forget())
  end)

  it("look at what went wrong, too", function()
    local world = sharing.world(function() return {status = 401} end)
    ask(world.process(), world)
    world.skip(1)
    local told = world.process()
    told:look()
    assert.equal(1000 + world.skew, told:explain().problemAt)
    told = told:explain()
    assert.is_truthy(told.problem:find("does not accept", 1, true))
    assert.is_true(told.latchedFor > 3 and told.latchedFor <= 4)
  end)
end)

describe("clients that share nothing", function()
  it("because of different certificates", function()
    local world = sharing.world(steady(100))
    ask(world.process{clientCert = "/cert.pem"}, world)
    ask(world.process{clientCert = "/renewed.pem"}, world)
    assert.equal(2, #world.posts)
  end)

  for what, other in pairs{
    ["another secret"] = {clientSecret = "canary-secret-other"},
    ["another id"] = {clientId = "id2"},
    ["another bank"] = {baseUrl = "https://other.example"},
    ["another path"] = {path = "/token"},
    ["another certificate"] = {clientCert = "/cert.pem"},
  } do
    it("because of " .. what, function()
      local world = sharing.world(steady(100))
      ask(world.process(), world)
      ask(world.process(other), world)
      assert.equal(2, #world.posts)
    end)
  end
end)

describe("a token in the store", function()
  it("ends no later when the wall clock is set back in between", function()
    local world = sharing.world(steady(100))
    ask(world.process(), world)
    world.skip(50)
    world.skew = world.skew - 7200
    local token = ask(world.process(), world)
    assert.is_true(token:remaining() <= 50.01)
    world.session = "another start"   -- and no more than it had at first when the machine restarts
    token = ask(world.process(), world)
    assert.is_true(token:remaining() <= 100)
  end)

  it("ends by the wall clock when the machine was started in between", function()
    local world = sharing.world(steady(100))
    ask(world.process(), world)
    world.session = "another start"
    world.skew = world.skew + world.now + 30   -- the boot clock begins anew, and 30 s have passed
    world.now = 0
    local token = ask(world.process(), world)
    assert.is_true(math.abs(token:remaining() - 70) < 0.01)
    assert.equal(1, #world.posts)
  end)

  it("is not found with a secret that was changed", function()
    local world = sharing.world(steady(100))
    local own = core.secret("canary-secret")
    local kept = world.process{clientSecret = own}
    ask(kept, world)
    assert.is_truthy(world.process{clientSecret = own}:look())
    own:replace(core.secret("canary-secret-new"))
    assert.is_nil(world.process{clientSecret = own}:look())
  end)
end)
