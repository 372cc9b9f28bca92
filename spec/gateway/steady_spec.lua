-- What must not grow: memory, threads, descriptors, over requests and over reloads. CBA_LONG=1
-- makes more of both: nginx takes 6 ms to make a Lua for each request, and 0.2 s for a reload.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local LONG = os.getenv "CBA_LONG"
local REQUESTS = LONG and 10000 or 1000
local RELOADS = LONG and 100 or 20

local bank = sandbox.bank()

local function state_of(pid)
  local status = files.content(("/proc/%d/status"):format(pid))
  return {
    memory = tonumber(status:match "VmRSS:%s*(%d+)"),   -- KiB
    threads = tonumber(status:match "Threads:%s*(%d+)"),
    files = files.count_entries(("/proc/%d/fd"):format(pid)),
  }
end

-- Once the clients of a load that is over are gone for the worker, too.
local function state_at_rest(pid)
  local state
  sandbox.await("connections come and go", function()
    state = state_of(pid)
    socket.sleep(0.5)   -- a worker that others keep off the processor closes late
    return files.count_entries(("/proc/%d/fd"):format(pid)) == state.files
  end)
  return state
end

describe("an nginx that runs for long #nginx", function()
  local gate

  after_each(gateway.stop_all)

  local function ready()
    gate:await_ready()
  end

  local function request(count, path)
    for _ = 1, count / 100 do assert.same({[200] = 100}, gate:at_once(100, path)) end
  end

  it("lua_code_cache off: 1 POST for all requests; memory, threads and descriptors stay flat",
    function()
      local scenario = bank:scenario{}
      gate = gateway.start{workers = 1, setup = {baseUrl = scenario.baseUrl},
        api_location = "lua_code_cache off;", before_inject = "$setup",
        keepalive = "keepalive 4;"}   -- so few that all of them are there from the start
      ready()
      local pid = gate:workers()[1]
      request(500, "/api/")
      local before = state_at_rest(pid)
      request(REQUESTS, "/api/")
      local after = state_at_rest(pid)
      assert.equal(1, scenario:posts())
      assert.equal(0, gate:count "bad")
      assert.is_true(after.memory <= before.memory + 2048)
      assert.equal(before.threads, after.threads)
      assert.is_true(after.files <= before.files + 2)
    end)

  it("many reloads: 1 POST; memory, threads and descriptors of the master stay flat", function()
    local scenario = bank:scenario{}
    gate = gateway.start{setup = {baseUrl = scenario.baseUrl}}
    ready()
    local function reload(count)
      for _ = 1, count do gate:reload() end
      sandbox.await("old workers stay", function() return #gate:workers() == 2 end)
      return state_of(gate:pid())
    end
    local before, after = reload(5), reload(RELOADS)
    assert.equal(200, (gate:get("/api/")))
    assert.equal(1, scenario:posts())
    assert.is_true(after.memory <= before.memory + 512)
    assert.equal(before.threads, after.threads)
    assert.is_true(after.files <= before.files + 2)
    local worker = state_of(gate:workers()[2])
    assert.is_true(worker.threads <= 2)
  end)

  it("many requests and tokens: memory, threads and descriptors of a worker stay flat", function()
    local scenario = bank:scenario{{validity = 2}}
    gate = gateway.start{workers = 1, setup = {baseUrl = scenario.baseUrl, refreshAhead = 0.5,
      leeway = 0.1}, keepalive = "keepalive 4;"}
    ready()
    local pid = gate:workers()[1]
    gate:load(2, 20, "/api/").finish()
    local before = state_at_rest(pid)
    local result = gate:load(5, 20, "/api/").finish()
    local after = state_at_rest(pid)
    assert.equal(0, result.errors)
    assert.is_true(after.memory <= before.memory + 2048)
    assert.is_true(after.threads <= before.threads)
    assert.is_true(after.files <= before.files + 4)
  end)
end)
