-- The stores: what all must do, and what each does in its own way.

local contract = require "spec.store_contract"
local memory = require "corebank.auth.store.memory"

local function clock()
  local now = 1000
  return function() return now end, function(seconds) now = now + seconds end
end

contract.run("memory", function()
  local read, elapse = clock()
  local store = memory.new(read)
  return {store = store, other = store, elapse = elapse}
end, describe, it)

describe("the memory store", function()
  it("is one of its own each time", function()
    local one, another = memory.new(), memory.new()
    one:put("a", "bytes", 60)
    assert.is_nil(another:get("a"))
    assert.is_true(one:lease("a", "one", 60))
    assert.is_true(another:lease("a", "another", 60))
  end)

  it("does not pile up what has ended", function()
    local read, elapse = clock()
    local store = memory.new(read)
    collectgarbage()
    local before = collectgarbage("count")
    for i = 1, 20000 do
      store:put(("%x"):format(i), ("x"):rep(100) .. i, 5)
      store:lease(("%x"):format(i), "owner " .. i, 5)
      elapse(1)
    end
    collectgarbage()
    assert.is_true(collectgarbage("count") < before + 100)   -- KiB; all would be thousands
    assert.is_nil(store:get("1"))
    assert.is_truthy(store:get(("%x"):format(20000)))
  end)

  it("shows nobody what it holds", function()
    local store = memory.new()
    store:put("a", "canary-token-kept", 60)
    assert.is_nil(next(store))
    assert.is_false(getmetatable(store))
  end)
end)
