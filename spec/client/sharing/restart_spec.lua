-- What is in a store from before the system was started: it counts only while the wall clock is not
-- before its issue.

local client = require "corebank.auth.client.client"
local entry = require "corebank.auth.client.entry"
local fake = require "spec.support.fake"
local options = require "corebank.auth.options.read"
local problem = require "corebank.auth.exchange.problem"
local sharing = require "spec.support.sharing"
local token = require "corebank.auth.exchange.token"

local machine = sharing.machine

local WALL, MONTH = 1790000000, 30 * 86400

-- Asked for at 4999, valid until 5100.
local function token_text(system)
  local own = token.revive({tokenType = "Bearer", tokenValiditySec = 100}, "canary-token", 5100,
    WALL + 100, system)
  return (entry.write({token = own, lifetime = 100, departed = 4999}, nil, system))
end

local function failure_text(system)
  return (entry.write(nil, {problem = problem.new("denied", "no", {status = 401}), at = 5000,
    departed = 4999, nextRefresh = 5008, latched = 5030, failures = 1, denials = 1}, system))
end

-- What a machine reads that the entries were written on, or another, at `now`, when its wall clock
-- shows `ahead` seconds more than at their writing.
local function reads(session, now, ahead, written)
  local writer = machine(5000, WALL, written or "a start")
  local reader = machine(now, WALL + ahead, session)
  local found = entry.read(token_text(writer), reader)
  local _, failure = entry.read(failure_text(writer), reader)
  return found and found.token:remaining(), failure ~= nil
end

-- Who reads it: by what it takes for the start of the system, and what its boot clock shows.
local OTHERS = {
  {"after a start of the system", "another start", 40},
  {"after a start, the system up for longer than before", "another start", 9000},
  {"on a system that does not name its starts", "", 40},
  {"where uptime has gone back within a start: a snapshot, a container put elsewhere", "a start",
    40},
  {"where nobody knows of starts", "", 5010, ""},
}

for _, other in ipairs(OTHERS) do
  local name, session, now, written = other[1], other[2], other[3], other[4]

  describe("S31: an entry read " .. name, function()
    it("is none while the wall clock is before its issue", function()
      for _, back in ipairs{MONTH, 86400, 60, 2} do
        local left, failed = reads(session, now, -back, written)
        assert.is_nil(left, back)
        assert.is_false(failed, back)
      end
      assert.is_nil((reads(session, now, 1 - WALL, written)))   -- a clock that starts at 1970
    end)

    it("counts by the wall clock from its issue to its end", function()
      for passed = 0, 99, 11 do
        local left, failed = reads(session, now, passed, written)
        assert.equal(100 - passed, left)
        assert.is_true(failed)
      end
      assert.is_true((reads(session, now, 100, written) or 0) == 0)
      assert.is_true((reads(session, now, MONTH, written) or 0) == 0)
    end)
  end)
end

describe("S31: an entry read within the same start", function()
  it("counts by the boot clock, whatever the wall clock was set back to", function()
    for _, back in ipairs{0, 2, 86400, MONTH} do
      local left, failed = reads("a start", 5030, -back)
      assert.equal(70, left)
      assert.is_true(failed)
    end
  end)

  it("has ended by either clock", function()
    assert.equal(0, (reads("a start", 5100, 0)))
    assert.equal(0, (reads("a start", 5030, MONTH)))
  end)

  it("is read at the very moment at which its request was sent", function()
    for i = 1, 1000 do
      local moment = 1000 + i / 997
      local system = machine(moment, WALL + i / 991, "a start")
      local own = token.revive({tokenType = "Bearer"}, "canary-token", moment + 9,
        system.wall() + 9, system)
      local text = entry.write({token = own, lifetime = 9, departed = moment}, nil, system)
      assert.is_truthy((entry.read(text, system)))
      assert.is_truthy((entry.read(text, machine(moment, system.wall(), "another start"))))
    end
  end)
end)

describe("S31: a client", function()
  -- A store that keeps everything for ever, as a folder does.
  local function kept_for_ever()
    local entries = {}
    return {name = "for ever",
      get = function(_, name) return entries[name] end,
      put = function(_, name, bytes) entries[name] = bytes return true end,
      delete = function(_, name) entries[name] = nil return true end,
      lease = function() return true end,
      release = function() return true end}
  end

  it("asks the bank anew, and shares what it gave, when the wall clock went back with the uptime",
    function()
      local world, store = fake.world(fake.steady(100)), kept_for_ever()
      world.random = function() return 0 end
      local function process()
        local settings = assert(options.read({baseUrl = "https://bank.example", clientId = "id",
          clientSecret = "canary-secret", store = store}, true))
        return client.new(settings, world.system, world.host)
      end
      assert.equal("canary-token-1", fake.ask(process(), world).accessToken)
      world.now, world.session = 5, "another start"
      world.skew = world.skew - MONTH
      assert.equal("canary-token-2", fake.ask(process(), world).accessToken)
      assert.equal("canary-token-2", fake.ask(process(), world).accessToken)
      assert.equal(2, #world.posts)
    end)
end)
