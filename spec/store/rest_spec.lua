-- How long a store that failed is left alone.

local rest = require "corebank.auth.store.rest"

describe("K6: a store that failed", function()
  local now, random, store

  before_each(function()
    now, random = 1000, 0
    store = rest.new(function() return now end, function() return random end)
  end)

  -- Seconds until it may be asked.
  local function left()
    local began = now
    while not store:may_ask() do now = now + 0.25 end
    return now - began
  end

  it("is left alone for 1 second, doubling to 30", function()
    local rests = {}
    for i = 1, 7 do
      assert.is_true(store:may_ask())
      store:failed(now, "a fault")
      rests[i] = left()
      store:may_ask()
      now = now + 30   -- whoever asked has not said how it went
    end
    assert.same({1, 2, 4, 8, 16, 30, 30}, rests)
  end)

  it("is left alone for up to half of that less: they do not all come back at once", function()
    random = 1
    store:failed(now, "a fault")
    assert.equal(0.5, left())
  end)

  it("is tried by one at a time", function()
    store:failed(now, "a fault")
    left()
    for _ = 1, 3 do
      assert.is_false(store:may_ask())
      now = now + 5
    end
    store:succeeded()
    assert.is_true(store:may_ask())
    assert.is_true(store:may_ask())
  end)

  it("failed once for all who asked before they knew", function()
    for _ = 1, 100 do store:failed(1000, "a fault") end
    now = 1000.5
    for _ = 1, 100 do store:failed(1000, "a fault") end
    assert.is_true(left() <= 1)
  end)

  it("tells a fault once, until it has worked or the fault is another one", function()
    assert.equal("a fault", store:failed(now, "a fault"))
    now = now + 2
    assert.is_nil(store:failed(now, "a fault"))
    now = now + 2
    assert.equal("another", store:failed(now, "another"))
    now = now + 2
    store:succeeded()
    assert.equal("another", store:failed(now, "another"))
  end)
end)
