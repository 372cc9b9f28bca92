-- What a client has of the system.

local core = require "corebank.auth.core"
local system = require "corebank.auth.host.system"

describe("system.before", function()
  -- However it is called on this Lua.
  for name, before in pairs{core = core.before, system = system.before} do
    it("asks both clocks (" .. name .. ")", function()
      local steady, wall = core.steady(), core.wall()
      assert.is_true(before(steady + 60, wall + 60))
      assert.is_false(before(steady - 1, wall + 60))
      assert.is_false(before(steady + 60, wall - 1))
      assert.is_false(before(-math.huge, -math.huge))
      assert.is_true(before(math.huge, math.huge))
      assert.is_false(before(0 / 0, 0 / 0))
    end)
  end

  it("is compiled where the Lua compiles", function()
    local jit = rawget(_G, "jit")
    assert.equal(jit and jit.status() and "cdata" or "function", type(system.before))
  end)

  it("comes with all the rest of the core", function()
    for name, value in pairs(core) do
      if name ~= "before" and name ~= "session" then assert.equal(value, system[name], name) end
    end
  end)
end)

describe("system.session", function()
  local session, calls, name = core.session, 0, nil

  after_each(function() core.session = session end)

  it("is the core's", function()
    assert.equal(core.session(), system.session())
  end)

  it("is asked again until there is one, and then no more", function()
    function core.session()
      calls = calls + 1
      return name
    end
    local fresh = dofile "lua/corebank/auth/host/system.lua"
    assert.equal(0, calls)
    assert.is_nil(fresh.session())
    assert.is_nil(fresh.session())
    assert.equal(2, calls)
    name = "a start"
    for _ = 1, 10 do assert.equal("a start", fresh.session()) end
    assert.equal(3, calls)
  end)
end)
