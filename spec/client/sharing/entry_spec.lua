-- What a store's entries say and how they are read; found_spec has what comes of it.

local entry = require "corebank.auth.client.entry"
local problem = require "corebank.auth.exchange.problem"
local sharing = require "spec.support.sharing"
local token = require "corebank.auth.exchange.token"

local machine = sharing.machine

local WALL = 1790000000

local function token_in(...) return (entry.read(...)) end
local function failure_in(...) return (select(2, entry.read(...))) end

local function token_text(system)
  local own = token.revive({tokenType = "Bearer", tokenValiditySec = 100}, "canary-token", 1100,
    WALL + 100, system)
  return (entry.write({token = own, lifetime = 100, departed = 999, lastRejection = 990}, nil,
    system))
end

local function failure_text(system, changes)
  local failure = {problem = problem.new("server", "it is down",
    {status = 503, attempts = 2, retryAfter = 30, retryable = true}), at = 1000, departed = 999,
    nextRefresh = 1008, latched = 1030, failures = 3, denials = 0}
  for name, value in pairs(changes or {}) do failure[name] = value end
  return (entry.write(nil, failure, system))
end

-- A text without each of its lines in turn.
local function each_line_missing(text)
  return coroutine.wrap(function()
    for line in text:gmatch("[^\n]+\n") do
      local from, to = text:find(line, 1, true)
      coroutine.yield(line:match("%a+"), text:sub(1, from - 1) .. text:sub(to + 1))
    end
  end)
end

describe("a token's entry", function()
  it("is read as it was written", function()
    local system = machine(1000, WALL, "a start")
    local found = token_in(token_text(system), system)
    assert.equal("canary-token", found.token.accessToken)
    assert.same({1100, WALL + 100}, {token.deadlines(found.token)})
    assert.same({100, 999, 990}, {found.lifetime, found.departed, found.lastRejection})
  end)

  it("says whether it was rejected, and how many were in a row", function()
    local system = machine(1000, WALL, "a start")
    local own = token_in(token_text(system), system)
    assert.same({false}, {own.isRejected, own.rejections})
    own.isRejected, own.rejections = true, 3
    own = token_in((entry.write(own, nil, system)), system)
    assert.same({true, 3}, {own.isRejected, own.rejections})
  end)

  it("is none without what a token needs", function()
    local system = machine(1000, WALL, "a start")
    local needed = {version = true, accessToken = true, tokenType = true, departedBoot = true,
      departedWall = true, endsBoot = true, endsWall = true}
    for name, text in each_line_missing(token_text(system)) do
      assert.equal(needed[name], token_in(text, system) == nil or nil, name)
    end
  end)
end)

describe("a failure's entry", function()
  it("is read as it was written", function()
    local system = machine(1000, WALL, "a start")
    local failure = failure_in(failure_text(system), system)
    assert.same({1000, 999, 1008, 1030, 3, 0}, {failure.at, failure.departed, failure.nextRefresh,
      failure.latched, failure.failures, failure.denials})
    local told = failure.problem
    assert.same({"server", "it is down", 503, 2, 30, true},
      {told.code, told.message, told.status, told.attempts, told.retryAfter, told.retryable})
    failure = failure_in(failure_text(system, {problem = problem.new("denied", "no",
      {secretFault = "it is empty"})}), system)
    assert.equal("it is empty", failure.problem.secretFault)
    failure = failure_in(failure_text(system, {problem = problem.new("tls", "no")}), system)
    assert.is_false(failure.problem.retryable)
  end)

  it("is none without what a failure needs", function()
    local system = machine(1000, WALL, "a start")
    local details = {status = true, attempts = true, retryAfter = true,
      retryable = true, latchedBoot = true, latchedWall = true, keptFor = true, writtenWall = true}
    for name, text in each_line_missing(failure_text(system)) do
      if name ~= "session" and name ~= "version" then
        assert.equal(details[name], failure_in(text, system) and true, name)
      end
    end
  end)

  it("says by the wall clock when it was, to a machine that has been started in between", function()
    local text = failure_text(machine(1000, WALL, "a start"))
    for _, session in ipairs{"another start", ""} do
      local failure = failure_in(text, machine(5, WALL + 10, session))
      assert.same({-5, -6, 3, 25},
        {failure.at, failure.departed, failure.nextRefresh, failure.latched})
    end
    text = failure_text(machine(1000, WALL, ""))   -- nor is a start without a name the same
    assert.equal(-5, failure_in(text, machine(5, WALL + 10, "")).at)
  end)

  it("keeps nobody off for longer than a failure may, whatever the clocks say", function()
    local text = failure_text(machine(1000, WALL, "a start"), {nextRefresh = 9000, latched = 9000})
    local failure = failure_in(text, machine(1000, WALL, "a start"))
    assert.same({1060, 1300}, {failure.nextRefresh, failure.latched})
  end)
end)
