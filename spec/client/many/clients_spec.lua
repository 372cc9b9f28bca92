-- Clients among the elements of a list, in a world without sockets.

local fake = require "spec.support.fake"
local get_all = require "corebank.auth.client.many"
local many = require "spec.support.many"

describe("a client in a batch", function()
  local function steady(takes)
    return function(n) return {token = "canary-token-" .. n, validity = 100, takes = takes} end
  end

  it("gives its token, and keeps it", function()
    local world = many.world(steady(0.5))
    local banks = {}
    for i = 1, 5 do banks[i] = many.client(world) end
    local results, _, took = many.run(world,
      {banks[1], banks[2], many.element(), banks[3], banks[4]})
    assert.equal(5, #world.posts)
    assert.is_true(took < 1)   -- side by side
    assert.equal(banks[1]:peek(), results[1].token)
    assert.equal(banks[4]:peek(), results[5].token)
    results = many.run(world, banks)
    assert.equal(6, #world.posts)   -- only the fifth had none
    assert.equal(banks[5]:peek(), results[5].token)
  end)

  it("that is there twice asks once", function()
    local world = many.world(steady(0.5))
    local bank = many.client(world)
    local results = many.run(world, {bank, bank})
    assert.equal(1, #world.posts)
    assert.equal(results[1].token, results[2].token)
  end)

  it("whose token is stale gets the next one, within the bound", function()
    local world = many.world(steady(0.5))
    local banks = {}
    for i = 1, 10 do banks[i] = many.client(world) end
    many.run(world, banks)
    world.skip(85)
    world.most = 0
    local results = many.run(world, banks, {parallel = 2})
    assert.equal(20, #world.posts)
    assert.equal(2, world.most)
    for i, bank in ipairs(banks) do assert.equal(bank:peek(), results[i].token) end
    assert.is_true(results[1].token:remaining() > 90)
  end)

  it("keeps its valid token when the refresh fails", function()
    local world = many.world(function(n)
      return n == 1 and {token = "canary-token-1", validity = 100} or {status = 503}
    end)
    local bank = many.client(world)
    many.run(world, {bank})
    world.skip(85)
    assert.equal("canary-token-1", many.run(world, {bank})[1].token.accessToken)
    assert.equal(2, #world.posts)
  end)

  it("that is denied says so, from memory the second time", function()
    local world = many.world(function() return {status = 401} end)
    local bank = many.client(world)
    assert.equal("denied", many.run(world, {bank})[1].problem.code)
    assert.is_true(many.run(world, {bank, bank})[2].problem.remembered)
    assert.equal(1, #world.posts)
  end)

  it("asks the bank anew when the batch before was made to raise, and time has passed", function()
    local world = many.world(function(n)
      return {token = "canary-token-" .. n, validity = 100, takes = ({0.5, 5})[n]}
    end)
    local bank = many.client(world)
    assert.has_error(function()
      get_all({many.element(), bank}, {onProgress = function() error("enough", 0) end},
        world.system, world.host)
    end, "enough")
    world.skip(11)   -- more than its timeout: the answer has long been there, and nobody looked
    local token, message = fake.ask(bank, world)
    assert.equal("canary-token-3", token and token.accessToken, message)
  end)

  it("that is closed meanwhile is a problem, and no mistake", function()
    local world = many.world(steady(0.5))
    local banks = {many.client(world), many.client(world)}
    local results = many.run(world, banks, {parallel = 1,
      onProgress = function() banks[2]:close() end})
    assert.equal(banks[1]:peek(), results[1].token)
    assert.equal("closed", results[2].problem.code)
  end)
end)
