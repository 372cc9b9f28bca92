-- What a client has of the system.

local core = require "corebank.auth.core"
local system = require "corebank.auth.system"

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
      if name ~= "before" then assert.equal(value, system[name], name) end
    end
  end)
end)
