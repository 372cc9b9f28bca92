-- A handler that closes, forgets or raises when it hears of a store's failure.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local fake = require "spec.support.fake"
local files = require "spec.support.files"
local settings_of = require "corebank.auth.client.settings"
local sharing = require "spec.support.sharing"

local ask, steady = fake.ask, fake.steady

describe("a handler that hears of a store's failure while a flight runs", function()
  local function failing(act)
    local kept
    local world = sharing.world(steady(100, 0.5), {onEvent = function(event)
      if event.name == "store_failed" and act then
        local once = act
        act = nil
        once(kept)
      end
    end})
    world.store.get = function() return nil, "broken" end
    kept = world.process()
    return kept, world
  end

  it("may close the client: nothing is sent, and whoever waits is told", function()
    local kept, world = failing(function(bank) bank:close() end)
    local token, _, problem = ask(kept, world)
    assert.is_nil(token)
    assert.equal("closed", problem.code)
    assert.equal(0, #world.posts)
    assert.is_nil(next(world.open))
  end)

  it("may have all forgotten: the token is asked for anew, once", function()
    local kept, world = failing(function(bank) bank:forget() end)
    assert.is_truthy((ask(kept, world)))
    world.pass(5)
    assert.is_nil(next(world.open))
    assert.is_false(kept:is_fetching())
  end)

  it("may raise after that: whoever waits hears of it", function()
    local kept = failing(function(bank)
      bank:forget()
      error("mine", 0)
    end)
    local ok, fault = pcall(kept.token, kept)
    assert.is_false(ok)
    assert.equal("mine", fault)
  end)

  it("may close the client when a refresh is given up: whoever asks is told", function()
    local kept
    local world = sharing.world(steady(100, 0.1), {onEvent = function(event)
      if event.name == "store_failed" then kept:close() end
    end})
    kept = world.process()
    ask(kept, world)
    world.skip(80)
    kept:token()
    world.store.release = function() return nil, "broken" end
    world.skip(20)
    local token, _, problem = kept:token()
    assert.is_nil(token)
    assert.equal("closed", problem.code)
  end)

  it("may close the client when a changed secret is looked up: it is not sent", function()
    local path = os.tmpname()
    files.write(path, "canary-secret-old", "600")
    local kept
    local world = sharing.world(function()
      files.write(path, "canary-secret-new", "600")
      return {status = 401}
    end, {clientSecret = auth.secret.file(path), onEvent = function(event)
      if event.name == "store_failed" then kept:close() end
    end})
    kept = world.process()
    world.store.get = function() if #world.posts > 0 then return nil, "broken" end end
    local token, _, problem = ask(kept, world)
    os.remove(path)
    assert.is_nil(token)
    assert.equal("closed", problem.code)
    assert.equal(1, #world.posts)
    assert.is_nil(next(world.open))
  end)

  it("may close the client when its token is to be put there: the lease is given back", function()
    local kept, others
    local world = sharing.world(steady(100, 0.5), {onEvent = function(event)
      if event.name == "store_failed" then kept:close() end
    end})
    rawset(world.store, "get", function()
      if #world.posts > 0 and world.now > 1000.4 then return nil, "broken" end
    end)
    kept, others = world.process(), world.process()
    ask(kept, world)
    assert.equal(1, #world.posts)
    world.store.get = nil
    local began = world.now
    assert.is_truthy((ask(others, world)))
    assert.is_true(world.now - began < 2, world.now - began)
  end)

  it("may raise when its token is to be put there: the lease is given back", function()
    local world = sharing.world(steady(100, 0.5), {onEvent = function(event)
      if event.name == "store_failed" then error("mine", 0) end
    end})
    local put = world.store.put
    rawset(world.store, "put", function() return nil, "broken" end)
    assert.has_error(function() ask(world.process(), world) end, "mine")
    world.store.put = put
    local began = world.now
    assert.is_truthy((ask(world.process(), world)))
    assert.is_true(world.now - began < 2, world.now - began)
  end)

  for _, act in ipairs{"close", "forget"} do
    it("may raise when a refresh is given up: " .. act .. " has done its part", function()
      local world = sharing.world(steady(100, 0.1), {onEvent = function(event)
        if event.name == "store_failed" then error("mine", 0) end
      end})
      local kept = world.process()
      local token = ask(kept, world)
      world.skip(80)
      kept:token()
      assert.is_true(kept:is_fetching())
      local secret = settings_of[kept].clientSecret
      rawset(world.store, "release", function() return nil, "broken" end)
      assert.has_error(function() kept[act](kept, token) end, "mine")
      assert.is_nil(kept:peek())
      assert.is_false(kept:is_fetching())
      assert.is_nil(next(world.open))
      assert.equal(act ~= "close", core.is_secret(secret))   -- close has wiped it
      if act ~= "close" then assert.is_nil(world.process():look()) end   -- nor has the store it
    end)
  end

  it("may close the client while it looks, or forgets: no token, and no error", function()
    for _, act in ipairs{"look", "forget"} do
      local world, kept = sharing.world(steady(100, 0.1))
      ask(world.process(), world)
      kept = world.process{onEvent = function(event)
        if event.name == "store_failed" then kept:close() end
      end}
      for _, operation in ipairs{"get", "delete"} do
        rawset(world.store, operation, function() return nil, "broken" end)
      end
      kept[act](kept)
      assert.is_true(kept.isClosed)
      assert.is_nil(kept:peek())
      assert.equal("closed", kept:explain().state)
    end
  end)

  it("may raise when more time is asked for: that refresh ends, and the next one begins", function()
    local broken = false
    local world = sharing.world(steady(100, 7), {onEvent = function(event)
      if event.name == "store_failed" then error("mine", 0) end
    end})
    local lease = world.store.lease
    rawset(world.store, "lease", function(...)
      if broken then return nil, "broken" end
      return lease(...)
    end)
    local kept = world.process()
    world.call(function() kept:token() end)
    world.skip(7.1)
    kept.host.poll()
    world.skip(75)
    kept:token()
    broken = true
    world.skip(1.5)
    kept:token()
    world.skip(1.5)
    assert.has_error(function() kept:token() end, "mine")
    assert.is_false(kept:is_fetching())
    assert.is_nil(next(world.open))
    broken = false
    world.skip(1)
    assert.is_truthy(kept:token())
    assert.is_true(kept:is_fetching())
  end)

  it("may take its time: the bank is asked once all the same", function()
    local kept, world = failing()
    world.store.get = function()
      world.skip(1.1)
      return nil, "broken"
    end
    world.store.lease = world.store.get
    assert.is_truthy((ask(kept, world)))
    assert.equal(1, #world.posts)
  end)
end)
