-- The core's window: a value handed out until a moment has come. On Lua 5.4.

local core = require "corebank.auth.core"

if not core.window then return end

describe("a window", function()
  local owner, calls, get, set

  before_each(function()
    owner, calls = {}, 0
    get, set = core.window(owner, function(...)
      calls = calls + 1
      return calls, ...
    end)
  end)

  local function ahead(steady, wall)
    return core.steady() + steady, core.wall() + wall
  end

  it("is shut at first: the slow way is asked, with all arguments, for all results", function()
    assert.same({1, owner, "a", "b"}, {get(owner, "a", "b")})
  end)

  it("hands its value out while both moments lie ahead, and asks nobody", function()
    local value = {}
    set(value, ahead(60, 60))
    for _ = 1, 10 do assert.equal(value, get(owner)) end
    assert.equal(1, select("#", get(owner)))
    assert.equal(0, calls)
  end)

  it("shuts at either moment", function()
    set("value", ahead(-1, 60))
    assert.equal(1, (get(owner)))
    set("value", ahead(60, -1))
    assert.equal(2, (get(owner)))
    set(nil, -math.huge, -math.huge)
    assert.equal(3, (get(owner)))
  end)

  it("is its owner's alone", function()
    set("value", ahead(60, 60))
    local other = {}
    assert.same({1, other}, {get(other)})
    assert.same({2}, {get()})
  end)

  it("is no table's that comes to lie where its owner was", function()
    local mistaken = 0
    for _ = 1, 100 do
      local orphan, open = core.window({}, function() return "slow" end)
      open("value", ahead(60, 60))
      collectgarbage()
      for _ = 1, 20 do
        if orphan{} ~= "slow" then mistaken = mistaken + 1 end
      end
    end
    assert.equal(0, mistaken)
  end)

  it("lets its owner go when nobody has either", function()
    local kept = setmetatable({owner = {}}, {__mode = "v"})
    kept.owner.get = core.window(kept.owner, print)
    collectgarbage()
    collectgarbage()
    assert.is_nil(kept.owner)
  end)

  it("lets the slow way yield and raise", function()
    local window = core.window(owner, function(_, n)
      local more = coroutine.yield(n + 1)
      if not more then error("no more", 0) end
      return more
    end)
    local thread = coroutine.wrap(function() return window(owner, 1) end)
    assert.equal(2, thread())
    assert.equal("more", thread("more"))
    thread = coroutine.wrap(function() return window(owner, 1) end)
    thread()
    assert.has_error(thread, "no more")
  end)

  it("keeps its value from the collector, and no older one", function()
    local kept = setmetatable({}, {__mode = "v"})
    kept[1] = {}
    set(kept[1], ahead(60, 60))
    collectgarbage()
    assert.equal(kept[1], get(owner))
    set(nil, 0, 0)
    collectgarbage()
    collectgarbage()
    assert.is_nil(kept[1])
  end)

  it("wants numbers, a table and a function", function()
    assert.is_false((pcall(set, "value", "x", 1)))
    assert.is_false((pcall(core.window, 1, print)))
    assert.is_false((pcall(core.window, {}, 1)))
  end)
end)
