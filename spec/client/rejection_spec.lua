-- What a client does when the API rejects its token (FIELD G8, G15): the token is given up when
-- there is a next one, and the pace falls when fresh tokens are rejected alike.

local auth = require "corebank.auth"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local ask, keep, steady = fake.ask, fake.keep, fake.steady

-- A bank that gives tokens until it is switched to another answer.
local function switched(validity)
  local bank = {}
  function bank.answer(n)
    return bank.instead or {token = "canary-token-" .. n, validity = validity, takes = bank.takes}
  end
  return bank
end

-- As in nginx: other callers are served by the same client meanwhile.
local function among_others(world)
  world.host.longestIdle = nil
end

describe("a token that the API rejects", function()
  for what, answer in pairs{
    ["is down"] = {failure = "connect"}, ["hangs"] = {failure = "timeout", takes = 9},
    ["answers 503"] = {status = 503}, ["says how long"] = {status = 503, retryAfter = 20},
    ["denies"] = {status = 401}, ["gives what is no token"] = {status = 204},
    ["gives a token that has ended"] = {token = "canary-token-old", validity = 0},
  } do
    it("G8: is handed out again when the bank " .. what .. ", and its POSTs are few", function()
      local bank = switched(1000)
      local kept, world = keep(bank.answer)
      local token = ask(kept, world)
      world.skip(100)
      bank.instead, world.random = answer, function() return 1 end   -- the longest back-off
      assert.is_true(kept:invalidate(token))
      assert.is_nil(kept:peek())   -- nobody gets it while there may be a next one
      assert.equal(token, (ask(kept, world)))
      assert.equal(token, kept:peek())
      assert.equal("rejected", kept:explain().state)
      assert.equal(2, #world.posts)
      for _ = 1, 200 do
        local began = world.now
        assert.equal(token, (ask(kept, world)))
        assert.is_true(world.now - began <= 1.1)
        kept:invalidate(token)
        world.pass(0.1)
      end
      assert.is_true(#world.posts <= 8, #world.posts)
      bank.instead = nil
      world.pass(60)
      ask(kept, world)
      world.pass(1)
      assert.are_not.equal(token, (ask(kept, world)))
      assert.equal("fresh", kept:explain().state)
    end)
  end

  it("G8: is not handed out beyond its end, with or without a next one", function()
    local bank = switched(100)
    local kept, world = keep(bank.answer)
    local token = ask(kept, world)
    bank.instead = {failure = "connect"}
    kept:invalidate(token)
    assert.equal(token, (ask(kept, world)))
    world.skip(91)
    local none, _, problem = ask(kept, world)
    assert.is_nil(none)
    assert.equal("connect", problem.code)
  end)

  it("G8: is handed out at once while the bank is known to deny", function()
    local bank = switched(100)
    local kept, world = keep(bank.answer)
    local token = ask(kept, world)
    world.skip(80)
    bank.instead = {status = 401}
    world.call(function() kept:token() end)
    world.pass(1)
    assert.is_true(kept:invalidate(token))
    assert.equal(token, (ask(kept, world)))
    assert.equal(2, #world.posts)
  end)

  it("is awaited by all who share the client, once", function()
    local bank = switched(1000)
    local kept, world = keep(bank.answer)
    among_others(world)
    local token = ask(kept, world)
    bank.takes = 2
    assert.is_true(kept:invalidate(token))
    local got = {}
    for i = 1, 10 do world.call(function() got[i] = kept:token() end) end
    assert.is_nil(got[1])
    world.pass(2.5)
    for i = 1, 10 do assert.equal("canary-token-2", got[i].accessToken) end
    assert.equal(2, #world.posts)
  end)

  it("G8: keeps none of those waiting who share the client, when the last refresh failed",
    function()
      local bank = switched(1000)
      local kept, world = keep(bank.answer)
      among_others(world)
      local token = ask(kept, world)
      world.skip(800)
      bank.instead = {failure = "timeout", takes = 9}
      kept:token()
      world.pass(8.9)
      world.random = function() return 1 end
      for _ = 1, 3 do
        kept:token()
        world.pass(20, 0.1)
      end
      kept:token()
      world.pass(9.2, 0.1)   -- it has just failed again
      local posts = #world.posts
      assert.is_true(kept:invalidate(token))
      for _ = 1, 100 do
        assert.equal(token, kept:token())   -- outside a coroutine: waiting would raise
        assert.is_true(#world.posts > posts)   -- it is asked at once, and not after a back-off
        world.pass(0.2)
      end
    end)

  it("counts once, and for that token only", function()
    local kept, world = keep(steady(100))
    local first = ask(kept, world)
    assert.same({true}, {kept:invalidate(first)})
    assert.same({false}, {kept:invalidate(first)})
    local second = ask(kept, world)
    assert.same({false}, {kept:invalidate(first)})
    assert.same({false, 5}, {kept:invalidate(second)})
    world.skip(2)
    assert.same({false, 3}, {kept:invalidate(second)})
    world.skip(3)
    assert.same({true}, {kept:invalidate(second)})
  end)
end)

describe("fresh tokens that are rejected alike", function()
  local function reject_all(seconds, host)
    local told = {}
    local kept, world = keep(steady(100000, 0.1), {onEvent = function(event)
      if event.name == "invalidated" then told[#told + 1] = event end
    end})
    if host then host(world) end
    ask(kept, world)
    local ends = world.now + seconds
    while world.now < ends do
      kept:invalidate((ask(kept, world)))
      world.pass(0.5, 0.1)
    end
    return told, kept, world
  end

  it("G15: slow the pace from 5 s to 5 min, and each rejection says so", function()
    local told, kept, world = reject_all(1500)
    local pauses = {}
    for i, event in ipairs(told) do
      assert.equal(i > 1, event.alike)
      pauses[i] = event.pause
    end
    assert.same({5, 10, 20, 40, 80, 160, 300, 300, 300, 300}, pauses)
    assert.equal(#told + 1, #world.posts)
    assert.equal(#told, kept:explain().counters.invalidated)
    survive.no_canary{told, kept:explain()}
  end)

  it("G8: make nobody else wait, for the one at hand is kept until the next is there", function()
    local bank = switched(1000)
    local kept, world = keep(bank.answer)
    among_others(world)
    kept:invalidate((ask(kept, world)))
    local second = ask(kept, world)
    world.skip(6)
    bank.takes = 2
    assert.is_true(kept:invalidate(second))
    assert.equal(second, kept:peek())
    assert.equal(second, kept:token())
    world.pass(1.5)
    assert.equal(second, kept:token())
    world.pass(1)
    assert.equal("canary-token-3", kept:token().accessToken)
    assert.equal(3, #world.posts)
  end)

  it("are a row no more when one was good for a while", function()
    for good, alike in pairs{[60] = true, [300] = false} do
      local told, kept, world = reject_all(20)
      assert.equal(20, told[#told].pause)
      world.skip(good)
      kept:invalidate((ask(kept, world)))
      assert.equal(alike, told[#told].alike)
      assert.equal(alike and 40 or 5, told[#told].pause)
    end
  end)

  for _, seconds in ipairs{6, 11, 30, 50} do
    it("are found by who calls every " .. seconds .. " s, too", function()
      local kept, world = keep(steady(100000))
      for _ = 1, 3600 / seconds do
        kept:invalidate((ask(kept, world)))
        world.skip(seconds)
      end
      assert.is_true(#world.posts <= 20, #world.posts)
    end)
  end

  it("G15: slow each other down where a new token ends the one before", function()
    local valid
    local world = fake.world(function(n)
      valid = "canary-token-" .. n
      return {token = valid, validity = 100000}
    end)
    local hosts = {keep(nil, nil, world), (keep(nil, nil, world))}
    for _ = 1, 3600 do
      for _, kept in ipairs(hosts) do
        local token = ask(kept, world)
        if token.accessToken ~= valid then kept:invalidate(token) end
      end
      world.skip(1)
    end
    assert.is_true(#world.posts <= 40, #world.posts)
  end)
end)

describe("a rejection, through a store", function()
  local function sharing(answer)
    local world = fake.world(answer)
    local store, pids = memory.new(world.system.boot), 0
    return function()
      pids = pids + 1
      local own = pids
      local place = setmetatable({}, {__index = world})
      place.system = setmetatable({pid = function() return own end}, {__index = world.system})
      world.random = function() return 0 end
      return (keep(nil, {store = store}, place))
    end, world
  end

  it("G8: takes the token from no process that starts while the bank is down", function()
    local bank = switched(1000)
    local process, world = sharing(bank.answer)
    local one, other = process(), process()
    local token = ask(one, world)
    ask(other, world)
    bank.instead = {failure = "connect"}
    assert.is_true(one:invalidate(token))
    assert.equal(token, (ask(one, world)))
    local late = process()
    assert.is_nil(late:look())   -- the bank may have a better one
    assert.equal("rejected", late:explain().state)
    assert.equal(token.accessToken, ask(late, world).accessToken)
    assert.equal(token.accessToken, ask(other, world).accessToken)
    assert.same({false}, {late:invalidate((ask(late, world)))})
    bank.instead = nil
    world.pass(5)
    local new = ask(process(), world).accessToken
    assert.are_not.equal(token.accessToken, new)
    world.skip(2)
    ask(late, world)
    world.pass(1)
    assert.equal(new, ask(late, world).accessToken)
  end)

  it("is not lost when whoever made it ends: the next process asks the bank", function()
    local process, world = sharing(steady(1000))
    local one = process()
    one:invalidate((ask(one, world)))
    one:close()
    assert.equal("canary-token-2", ask(process(), world).accessToken)
    assert.equal(2, #world.posts)
  end)

  it("has one pace for all, which processes that start anew have, too", function()
    local process, world = sharing(steady(100000))
    local rejected = 0
    for _ = 1, 1500 do
      local kept = process()
      if kept:invalidate((ask(kept, world))) then rejected = rejected + 1 end
      ask(kept, world)
      kept:close()
      world.skip(1)
    end
    assert.is_true(rejected >= 9 and rejected <= 11, rejected)
    assert.equal(rejected + 1, #world.posts)
  end)
end)

describe("a token that the API rejects, at the bank #transfer", function()
  it("G8: is had again while the bank is down, and replaced when it is back", function()
    local bank = sandbox.bank()
    local scenario = bank:scenario{{}, {status = 503}, {}}
    local kept = auth.client(survive.options{baseUrl = scenario.baseUrl})
    local first = assert(kept:token())
    assert.is_true(kept:invalidate(first))
    assert.equal(first, (kept:token()))
    assert.equal(2, scenario:posts())
    assert.equal("rejected", kept:explain().state)
    assert.is_truthy(kept:explain().problem:find "503")
    local second = sandbox.await("the next token does not come", function()
      local token = assert(kept:token())
      return token ~= first and token
    end)
    assert.are_not.equal(first.accessToken, second.accessToken)
    assert.equal(3, scenario:posts())
    survive.no_canary{kept, kept:explain()}
    kept:close()
  end)
end)
