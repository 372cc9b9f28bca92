-- Many tokens at once, in a world without sockets: order, bound, failures.

local core = require "corebank.auth.core"
local many = require "spec.support.many"
local options = require "corebank.auth.options.read"
local survive = require "spec.support.survive"

describe("a batch", function()
  it("gives results in the order of the list, whatever order they come in", function()
    local world = many.world(function(n)
      return {token = "canary-token-" .. n, validity = 60, takes = 1 / n}
    end)
    local results, _, took = many.run(world, many.elements(10))
    assert.equal(10, #results)
    for i, result in ipairs(results) do
      assert.equal("canary-token-" .. i, result.token.accessToken)
      assert.is_nil(result.problem)
    end
    assert.is_true(took < 1.1)   -- side by side
    survive.no_canary(results)
  end)

  it("has as many in flight as it may, and never more", function()
    for _, parallel in ipairs{1, 3, 7, 50} do
      local world = many.world(function() return {token = "t", validity = 60, takes = 1} end)
      local results, _, took = many.run(world, many.elements(70), {parallel = parallel})
      assert.equal(70, #results)
      assert.equal(parallel, world.most)
      assert.is_true(took < math.ceil(70 / parallel) + 0.5, took)
    end
  end)

  it("has 32 in flight unless told otherwise", function()
    local world = many.world(function() return {token = "t", validity = 60, takes = 1} end)
    many.run(world, many.elements(100))
    assert.equal(32, world.most)
  end)

  it("has four in flight while the bank answers within 20 ms", function()
    local world = many.world(function() return {token = "t", validity = 60, takes = 0.01} end)
    many.run(world, many.elements(100))
    assert.equal(4, world.most)
  end)

  it("leaves the others alone when one fails, and says why", function()
    local world = many.world(function(n)
      if n == 2 then return {status = 401, takes = 0.01} end
      if n == 3 then return {failure = "connect"} end
      return {token = "canary-token-" .. n, validity = 60, takes = 0.1}
    end)
    local results = many.run(world, many.elements(4))
    assert.equal("denied", results[2].problem.code)
    assert.equal(results[2].problem.message, results[2].message)
    assert.is_nil(results[2].token)
    assert.equal("connect", results[3].problem.code)
    assert.equal("canary-token-1", results[1].token.accessToken)
    assert.equal("canary-token-4", results[4].token.accessToken)
  end)

  it("pauses and tries again, each element for itself", function()
    local world = many.world(function(n)
      if n == 1 then return {status = 503, retryAfter = 2} end
      return {token = "canary-token-" .. n, validity = 60}
    end)
    local list = many.elements(3, {attempts = 2})
    local results, _, took = many.run(world, list)
    assert.equal(4, #world.posts)
    assert.equal("canary-token-4", results[1].token.accessToken)
    assert.is_true(took >= 2 and took < 2.1)
  end)

  it("tells how far it is, after each result", function()
    local world = many.world(function() return {token = "t", validity = 60, takes = 0.01} end)
    local told = {}
    many.run(world, many.elements(5), {parallel = 2, onProgress = function(done, total)
      told[#told + 1] = done .. "/" .. total
    end})
    assert.equal("1/5 2/5 3/5 4/5 5/5", table.concat(told, " "))
  end)

  it("of nothing gives nothing", function()
    local world = many.world(function() error "nobody is asked" end)
    assert.same({}, (many.run(world, {})))
  end)

  it("holds no more secrets than are in flight", function()
    local world = many.world(function() return {token = "t", validity = 60, takes = 0.1} end)
    local open, most = 0, 0
    local read, release = options.read, options.release
    function options.read(...)
      local settings, mistake = read(...)
      if settings then open = open + 1 end
      most = math.max(most, open)
      return settings, mistake
    end
    options.release = function(settings)
      open = open - 1
      return release(settings)
    end
    many.run(world, many.elements(50), {parallel = 5})
    options.read, options.release = read, release
    assert.equal(0, open)
    assert.equal(5, most)
  end)

  it("that is made to raise closes all that is open, and wipes it", function()
    local world = many.world(function(n)
      return {token = "t", validity = 60, takes = 0.01 * n}
    end)
    local secrets, read = {}, options.read
    function options.read(...)
      local settings, mistake = read(...)
      secrets[#secrets + 1] = settings.clientSecret
      return settings, mistake
    end
    local ok, fault = pcall(many.run, world, many.elements(50), {onProgress = function(done)
      if done == 3 then error("enough", 0) end
    end})
    options.read = read
    assert.is_false(ok)
    assert.equal("enough", fault)
    assert.is_nil(next(world.open))
    assert.is_true(#secrets > 3)
    for _, secret in ipairs(secrets) do assert.is_false(core.is_secret(secret)) end
  end)
end)
