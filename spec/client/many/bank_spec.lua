-- auth.authenticateAll and the sandbox bank: connections, memory, what a bank does, Ctrl-C.

local auth = require "corebank.auth"
local blocking = require "corebank.auth.host.blocking"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

describe("authenticateAll #transfer", function()
  local bank = sandbox.bank()

  local function list_of(count, scenario)
    local list = {}
    for i = 1, count do list[i] = survive.options{baseUrl = scenario and scenario.baseUrl} end
    return list
  end

  it("takes no more files and memory the tenth time than the second", function()
    -- Few at a time, and before any wide batch: what such a one leaves would hide a leak.
    local function get()
      auth.authenticateAll(list_of(200), {parallel = 4})
      return survive.memory()
    end
    -- A leak grows each time; what the specs before have left in pieces may move once.
    local function grows()
      local memory = get()
      for _ = 1, 7 do get() end
      return get() > memory + 512   -- KiB
    end
    get()
    local open = files.count_entries("/proc/self/fd")
    local grew = grows() and grows() and grows()
    -- The first time may have used fewer connections than it could; a leak adds more each time.
    assert.is_true(files.count_entries("/proc/self/fd") <= open + 4)
    -- The tools that look for leaks themselves hold back what is freed.
    local build = os.getenv "CBA_BUILD"
    if build:find "asan" or build:find "valgrind" then return end
    assert.is_false(grew)
  end)

  -- How many connections a scenario's requests came on.
  local function connections(scenario)
    local seen, count = {}, 0
    for _, request in ipairs(scenario:requests()) do
      if not seen[request.connection] then count = count + 1 end
      seen[request.connection] = true
    end
    return count
  end

  it("gets 1,000 tokens with 1,000 POSTs, on at most 32 connections", function()
    local scenario = bank:scenario{{}}
    local seen = {}
    for i, result in ipairs(auth.authenticateAll(list_of(1000, scenario))) do
      assert(result.token, result.message)
      assert.is_nil(seen[result.token.accessToken], i)
      seen[result.token.accessToken] = true
    end
    assert.equal(1000, scenario:posts())
    local most = survive.keepsConnections and 32 or 1000
    assert.is_true(connections(scenario) <= most, connections(scenario))
  end)

  it("leaves its connections for a batch that follows, whatever is called in between", function()
    local scenario = bank:scenario{{delay = 0.2}}
    local function batch()
      for _, result in ipairs(auth.authenticateAll(list_of(24, scenario))) do
        assert(result.token, result.message)
      end
    end
    batch()
    local first = connections(scenario)
    assert.is_true(first > 8, first)
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl}))
    batch()
    local after = survive.keepsConnections and math.max(first, 24) or 24 + 1 + 24
    assert.equal(after, connections(scenario))
  end)

  it("waits for all at the same time #slow", function()
    local scenario = bank:scenario{{delay = 0.3}}
    local began = core.boot()
    local results = auth.authenticateAll(list_of(30, scenario))
    assert.equal(30, #results)
    assert.is_true(core.boot() - began < survive.seconds(1.5))
  end)

  it("lets what was started earlier go on meanwhile", function()
    local earlier = blocking.spawn(function() blocking.sleep(0.01) end)
    auth.authenticateAll(list_of(3, bank:scenario{{delay = 0.1}}))
    assert.is_true(earlier:is_done())
  end)

  it("sends each element its own credentials", function()
    local scenario = bank:scenario{{accept = "any"}}
    local list = list_of(100, scenario)
    for i, given in ipairs(list) do
      given.clientId, given.clientSecret = "id-" .. i, "canary-secret-" .. i
    end
    list[50].attempts, list[100].attempts = 2, 2   -- more than the credentials differ
    for _, result in ipairs(auth.authenticateAll(list)) do assert(result.token, result.message) end
    local seen, count = {}, 0
    for _, request in ipairs(scenario:requests()) do
      local id, number = request.body:match(
        '^{"clientId":"id%-(%d+)","clientSecret":"canary%-secret%-(%d+)"}$')
      assert.equal(number, id)
      if id and not seen[id] then count = count + 1 end
      seen[id or 0] = true
    end
    assert.equal(100, count)
  end)

  it("survives what a bank does to one of them, and works on", function()
    local good, refused = bank:scenario{{}}, bank:scenario{{status = 401}}
    local cut, silent = bank:scenario{{body = "{"}}, bank:scenario{{delay = survive.seconds(1) + 4}}
    local list = {}
    for i, scenario in ipairs{good, refused, cut, silent, good} do
      list[i] = survive.options{baseUrl = scenario.baseUrl, timeout = survive.seconds(1)}
    end
    list[6] = survive.options{baseUrl = "https://localhost:1"}
    list[7] = auth.client(survive.options{baseUrl = good.baseUrl})
    list[8] = auth.client(survive.options{baseUrl = refused.baseUrl})
    local began = core.boot()
    local results = auth.authenticateAll(list)
    assert.is_true(core.boot() - began < survive.seconds(1.25))
    local codes = {}
    for i, result in ipairs(results) do codes[i] = result.token and "-" or result.problem.code end
    assert.equal("- denied response timeout - connect - denied", table.concat(codes, " "))
    survive.no_canary(results)
    assert.equal(3, good:posts())
    assert.equal(2, refused:posts())
    assert(auth.authenticate(survive.options{attempts = 3}))
    list[7]:close()
    list[8]:close()
  end)

  it("that is interrupted ends all in flight: no later call sends it on #slow", function()
    local scenario = bank:scenario{{delay = 4}}
    local began = core.boot()
    local ok, fault = pcall(function()
      debug.sethook(function()
        local inside = debug.getinfo(2, "S").source:find("host/scheduler", 1, true)
        if inside and core.boot() > began + survive.seconds(1) then
          debug.sethook()   -- as lua's own handler of Ctrl-C does
          error("interrupted", 0)
        end
      end, "l")
      return auth.authenticateAll(list_of(20, scenario))
    end)
    debug.sethook()
    assert.equal("interrupted", fault)
    assert.is_false(ok)
    local posts = scenario:posts()
    assert.is_true(posts > 1)
    assert(auth.authenticateAll{survive.options{}}[1].token)
    assert.equal(posts, scenario:posts())
  end)
end)
