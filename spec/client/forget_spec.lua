-- What a client forgets.

local fake = require "spec.support.fake"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

describe("forget", function()
  it("leaves the token nowhere, and close does not, either, nor one that was rejected", function()
    for _, drop in ipairs{"forget", "close", "close after a rejection"} do
      local kept, world = keep(steady(100))
      local seen = setmetatable({ask(kept, world)}, {__mode = "v"})
      if drop:find("rejection") then kept:invalidate(seen[1]) end
      kept[drop:match("%l+")](kept)
      collectgarbage()
      collectgarbage()
      assert.is_nil(seen[1], drop)
    end
  end)

  it("forgets a denial, too: the bank is asked at the next call", function()
    local kept, world = keep(function() return {status = 401} end)
    ask(kept, world)
    world.skip(1)
    assert.is_true(kept:forget())
    assert.is_nil(select(3, ask(kept, world)).remembered)
    assert.equal(2, #world.posts)
  end)

  it("and look are of use without a store, too", function()
    local kept, world = keep(steady(100))
    assert.is_nil(kept:look())
    local token = ask(kept, world)
    assert.equal(token, kept:look())
  end)
end)
