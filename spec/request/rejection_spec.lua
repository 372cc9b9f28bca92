-- R2, R10: what a 401 means to the token and to the request; in a world without sockets.

local fake = require "spec.support.fake"

-- A client whose API takes only the tokens that `takes` says.
local function keep(takes, changes, answer)
  local kept, world = fake.keep(answer or fake.steady(3600), changes)
  world.api = function(call) return {status = takes(call.token) and 200 or 401} end
  function world.send(given)
    local got
    given = given or {path = "/a"}
    world.call(function() got = {fake.request(kept, given)} end)
    while not got do world.pass(0.05, 0.05) end
    return got[1], got[3]
  end
  return kept, world
end

local function tokens_of(world)
  local list = {}
  for i, call in ipairs(world.calls) do list[i] = call.token:match "%d+$" end
  return table.concat(list, " ")
end

describe("a request that is answered with 401", function()
  for _, method in ipairs{"GET", "POST", "PATCH"} do
    it("is sent once more with the next token: " .. method, function()
      local _, world = keep(function(token) return token == "canary-token-2" end, {attempts = 1})
      local reply = world.send{path = "/a", method = method, json = {a = 1}}
      assert.equal(200, reply.status)
      assert.equal("1 2", tokens_of(world))
      assert.equal('{"a":1}', world.calls[2].body)
      assert.equal(2, #world.posts)
    end)
  end

  it("twice is the reply, and no third token is asked for", function()
    local _, world = keep(function() return false end)
    assert.equal(401, world.send().status)
    assert.equal("1 2", tokens_of(world))
    assert.equal(2, #world.posts)
  end)

  it("R10: always does not refresh for ever", function()
    local _, world = keep(function() return false end)
    for _ = 1, 20 do
      assert.equal(401, world.send().status)
      world.pass(0.5)
    end
    assert.is_true(#world.posts <= 4, #world.posts)   -- 10 seconds: pauses of 5 and of 10
    assert.is_true(#world.calls <= 24, #world.calls)
  end)

  it("R10: for a token that is no longer the client's goes again with the current one", function()
    local kept, world = keep(function(token) return token ~= "canary-token-1" end)
    local slow = world.api
    world.api = function(call)
      local given = slow(call)
      given.takes = call.token == "canary-token-1" and 2 or nil
      return given
    end
    kept:look()
    local reply
    world.call(function() reply = fake.request(kept, {path = "/a"}) end)
    world.pass(1)
    kept:invalidate(kept:peek())
    fake.ask(kept, world)
    assert.equal("canary-token-2", kept:peek().accessToken)
    world.pass(3)
    assert.equal(200, reply.status)
    assert.equal("1 2", tokens_of(world))
    assert.equal(2, #world.posts)
  end)

  it("is the reply when the bank gives no other token", function()
    local _, world = keep(function() return false end, nil, function(n)
      return n == 1 and {token = "canary-token-1", validity = 3600} or {status = 500}
    end)
    assert.equal(401, world.send().status)
    assert.equal("1", tokens_of(world))
    assert.equal(2, #world.posts)
  end)

  it("is the reply when the bank gives the same token again", function()
    local _, world = keep(function() return false end, nil, function()
      return {token = "canary-token-1", validity = 3600}
    end)
    assert.equal(401, world.send().status)
    assert.equal("1", tokens_of(world))
  end)
end)

describe("many requests that are answered with 401 at once", function()
  it("share one new token", function()
    local kept, world = keep(function(token) return token == "canary-token-2" end)
    fake.ask(kept, world)
    local answer_of, done = world.api, 0
    world.api = function(call)
      local given = answer_of(call)
      given.takes = 0.5
      return given
    end
    for _ = 1, 10 do
      world.call(function()
        assert.equal(200, fake.request(kept, {path = "/a"}).status)
        done = done + 1
      end)
    end
    world.pass(5, 0.05)
    assert.equal(10, done)
    assert.equal(2, #world.posts)
    assert.equal(20, #world.calls)
  end)
end)
