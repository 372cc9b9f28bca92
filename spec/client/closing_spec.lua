-- A client that is closed while something happens.

local core = require "corebank.auth.core"
local fake = require "spec.support.fake"

local ask, keep = fake.ask, fake.keep

describe("callers who wait together", function()
  it("are told when the client is closed", function()
    local kept, world, settings = keep(function() return {status = 401, takes = 2} end)
    local problem
    world.call(function() problem = select(3, kept:token()) end)
    kept:close()
    kept:close()
    world.pass(3)
    assert.equal("closed", problem.code)
    assert.is_nil(next(world.open))   -- the transfer in flight is stopped
    assert.is_false(core.is_secret(settings.clientSecret))
    local ok, message = pcall(function() return (kept:token()) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("closing_spec.lua:%d+: the client is closed"), message)
    assert.is_nil(kept:peek())
  end)
end)

describe("an event handler", function()
  it("that refers to its client does not keep it from the collector", function()
    local alive = setmetatable({}, {__mode = "k"})
    local function leave_one()
      local kept
      kept = keep(fake.steady(100), {onEvent = function() return kept end})
      alive[kept] = true
      kept:close()
    end
    leave_one()
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(alive))
  end)

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
