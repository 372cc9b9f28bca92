-- The gateway under load, while tokens end, workers go and configurations come. Counts, not times.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

if not gateway.possible then return end

local bank = sandbox.bank()

-- Lifetimes of 3 s, and how much of each is left for the refresh: little, to have none more.
local LIFETIMES, AHEAD = 3, 0.3
if os.getenv "CBA_LONG" then LIFETIMES, AHEAD = 20, 0.12 end

local WAITS = 'corebank_auth_waits_total{bank="default"}'

describe("the gateway under load #nginx", function()
  local gate, scenario

  local function start(steps, given)
    gate, scenario = gateway.at_bank(steps, given)
    gate:await_ready()
  end

  after_each(gateway.stop_all)

  it("tokens that end: no request fails, none waits, 1 POST for each", function()
    start({{validity = 3}}, {lifetime = 3, setup = {refreshAhead = AHEAD, leeway = AHEAD / 3}})
    assert.same({[200] = 100}, gate:at_once(100, "/api/"))   -- both workers have it now
    local waits = gate:metric(WAITS)
    local result = gate:load(3 * LIFETIMES, 20, "/api/").finish()
    assert.equal(0, result.errors, result.text)
    assert.equal(waits, gate:metric(WAITS))
    assert.equal(0, gate:count "late")
    assert.equal(0, gate:count "bad")
    assert.is_true(scenario:posts() >= LIFETIMES and scenario:posts() <= LIFETIMES + 1,
      scenario:posts())
    assert.equal("", gate:log())
  end)

  it("a slow bank: others are served while a request waits for its token", function()
    scenario = bank:scenario{{delay = 2}}
    gate = gateway.start{setup = {baseUrl = scenario.baseUrl}}
    local slow = assert(socket.connect("127.0.0.1", gate.port))
    slow:send("GET /api/ HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
    for _ = 1, 300 do assert.equal(200, (gate:get("/plain/"))) end
    slow:settimeout(0)
    assert.equal("timeout", select(2, slow:receive("*l")))
    slow:settimeout(5)
    assert.equal("HTTP/1.1 200 OK", (slow:receive("*l")))
    slow:close()
    assert.equal(1, scenario:posts())
  end)

  it("HUP, 20 times: no request fails, and no token is fetched for it", function()
    start({}, {keepalive = ""})   -- the API behind it reloads, too, and closes its connections
    local load = gate:load(5, 8, "/api/", "Connection: close")
    for _ = 1, 20 do
      gate:reload()
      socket.sleep(0.05)
    end
    local result = load.finish()
    assert.equal(0, result.errors, result.text)
    assert.is_true(result.requests > 100 / survive.seconds(1))
    assert.equal(0, gate:count "bad")
    assert.equal(1, scenario:posts())
    assert.equal("", gate:log())
  end)

  it("HUP while a token is fetched: the old workers still land it", function()
    scenario = bank:scenario{{delay = 1}}
    gate = gateway.start{setup = {baseUrl = scenario.baseUrl}}
    local waiting = {}
    for i = 1, 20 do
      waiting[i] = assert(socket.connect("127.0.0.1", gate.port))
      waiting[i]:send("GET /api/ HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
    end
    sandbox.await("no POST", function() return scenario:posts() == 1 end)
    gate:reload()
    for i = 1, 20 do
      waiting[i]:settimeout(5)
      assert.equal("HTTP/1.1 200 OK", (waiting[i]:receive("*l")))
      waiting[i]:close()
    end
    assert.equal(200, (gate:get("/api/")))
    assert.equal(1, scenario:posts())
  end)

  -- Kills the worker that fetches, of three; the bank never answers it.
  local function kill_the_one_that_fetches()
    scenario = bank:scenario{{delay = 30}, {}}
    gate = gateway.start{setup = {baseUrl = scenario.baseUrl, timeout = 30, attempts = 1},
      workers = 3, server = [[
        location /holder { content_by_lua_block {
          for _, key in ipairs(ngx.shared.corebank:get_keys()) do
            if key:find "^lease:" then ngx.print(ngx.shared.corebank:get(key)) end
          end } }]]}
    sandbox.await("no POST", function() return scenario:posts() == 1 end)
    assert(os.execute("kill -KILL " .. select(3, gate:get("/holder")):match "^%d+"))
  end

  it("G19: a worker killed while it fetches: the others do so at once, 1 POST more", function()
    kill_the_one_that_fetches()
    local began = socket.gettime()
    assert.same({[200] = 100}, gate:at_once(100, "/api/"))
    assert.is_true(socket.gettime() - began < 5)
    assert.equal(2, scenario:posts())
    local outcome = 'corebank_auth_fetches_total{bank="default",outcome="%s"}'
    assert.equal(1, gate:metric(outcome:format "fetched"))
    assert.equal(0, gate:metric(outcome:format "failed"))
  end)

  it("G19: so they do when no request comes", function()
    kill_the_one_that_fetches()
    gate:await_ready(5)
    assert.equal(2, scenario:posts())
  end)
end)

describe("the shared dict #nginx", function()
  local gate, scenario

  local function start(steps, given)
    gate, scenario = gateway.at_bank(steps, given)
  end

  after_each(gateway.stop_all)

  it("full: tokens still flow, each worker says so once", function()
    start({}, {dict = "lua_shared_dict corebank 16k;", no_setup = true, init_worker = [[
        local n = 0
        while ngx.shared.corebank:safe_set("filler" .. n, ("x"):rep(8)) do n = n + 1 end
        $setup]], server = [[location /fillers { content_by_lua_block {
          local count, dict = 0, ngx.shared.corebank
          while dict:get("filler" .. count) do count = count + 1 end
          ngx.say(count, " ", #dict:get_keys(0))
        } }]]})
    assert.same({[200] = 500}, gate:at_once(500, "/api/"))
    assert.same({[200] = 500}, gate:at_once(500, "/api/"))
    assert.is_true(scenario:posts() <= 2, scenario:posts())
    local _, told = gate:log():gsub("the store cannot be used %(no memory%)", "")
    assert.is_true(told >= 1 and told <= 2, gate:log())
    assert.equal(200, (gate:get("/metrics")))
    local _, _, fillers = gate:get("/fillers")
    local kept, all = fillers:match "^(%d+) (%d+)\n$"
    assert.equal(all, kept)   -- nobody was pushed out, and none of ours got in
    assert.is_true(tonumber(kept) > 20)
  end)

  it("garbage in it: tokens still flow, and it is told", function()
    start({}, {server = [[location /garble { content_by_lua_block {
        local dict = ngx.shared.corebank
        for _, key in ipairs(dict:get_keys()) do
          if key:find "^entry:" then dict:set(key, ngx.var.arg_number and 42 or "garbage") end
        end } }]]})
    gate:await_ready()
    local rounds = 0
    for path, fault in pairs{["/garble"] = "the entry cannot be opened",
      ["/garble?number=1"] = "an entry is a number"} do
      -- Again when a worker that was at it has put a good one there in between.
      repeat
        rounds = rounds + 1
        gate:get(path)
        gate:reload()
        assert.same({[200] = 100}, gate:at_once(100, "/api/"))
      until gate:log():find("the store cannot be used (" .. fault, 1, true) or rounds > 10
    end
    assert.is_true(rounds <= 10, gate:log())
    assert.is_true(scenario:posts() <= 1 + rounds, scenario:posts())
    assert.is_true(gate:metric 'corebank_auth_store_faults_total{bank="default"}' >= 1)
  end)

  it("is a store like the others", function()
    start({}, {dict = "lua_shared_dict corebank 2m;", server = [[location /contract {
        content_by_lua_block {
          local contract = require "spec.support.store_contract"
          local shdict = require "corebank.auth.store.shdict"
          local failed = 0
          for _, case in ipairs(contract.cases) do
            ngx.shared.corebank:flush_all()
            local ok, message = pcall(case.run, {store = shdict.new "corebank",
              other = assert(shdict.new "corebank"), elapse = ngx.sleep})
            if not ok then
              failed = failed + 1
              ngx.say(case.title, ": ", message)
            end
          end
          ngx.print(#contract.cases, " cases, ", failed, " failed")
        } }]]})
    local _, _, body = gate:get("/contract")
    assert.is_truthy(body:find "^%d%d cases, 0 failed$", body)
  end)

  it("missing: setup says what to add, and nothing passes", function()
    start({}, {dict = ""})
    sandbox.await("it is not told", function()
      return gate:log():find("init_worker_by_lua%b():%d+: setup: nginx.conf has no "
        .. "lua_shared_dict corebank; add `lua_shared_dict corebank 1m;` to its http block")
    end)
    assert.equal(503, (gate:get("/api/", {Authorization = "Bearer of-the-client"})))
    assert.equal(0, gate:count "bad")
  end)
end)
