-- After a shortage the gateway works again by itself, without a reload and without requests: G5.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"
local socket = require "socket"

if not gateway.possible then return end

local HEALED = 5   -- seconds after the cause's end

-- Occupies what timers there are until its file is gone.
local OCCUPY = [[
  local name = ngx.config.prefix() .. "occupied"
  io.open(name, "w"):close()
  local function is_over()
    local file = io.open(name)
    if file then file:close() end
    return not file
  end
]]

describe("the gateway heals #nginx", function()
  local gate, scenario

  local function start(steps, given)
    gate, scenario = gateway.at_bank(steps, given)
  end

  after_each(gateway.stop_all)

  local function is_ready() return (gate:get("/ready")) == 200 end

  local function check_heals()
    assert.is_false(is_ready())
    os.remove(gate.dir .. "/occupied")
    sandbox.await("it does not heal", is_ready, HEALED)
  end

  it("G5: when no timer could run from the start", function()
    start({}, {http = "lua_max_running_timers 1;", init_worker = OCCUPY .. [[
      assert(ngx.timer.at(0, function() while not is_over() do ngx.sleep(0.05) end end))
      $setup]]})
    socket.sleep(1.5)
    assert.equal(0, scenario:posts())
    check_heals()
    assert.equal(1, scenario:posts())
  end)

  it("G5: when no timer could be had from the start", function()
    start({}, {http = "lua_max_pending_timers 1;", init_worker = OCCUPY .. [[
      local function wait(premature)
        if not premature and not is_over() then assert(ngx.timer.at(0.05, wait)) end
      end
      assert(ngx.timer.at(0.05, wait))
      $setup]]})
    sandbox.await("it is not told", function()
      return gate:log():find("no timer (too many pending timers)", 1, true)
    end)
    assert.equal(0, scenario:posts())
    for _ = 1, 30 do gate:get("/ready") end
    check_heals()
    assert.equal(1, scenario:posts())
    local _, told = gate:log():gsub("corebank%-auth: no timer", "")
    assert.is_true(told <= 2, gate:log())
  end)

  it("G5: when timers are short in between; requests have tokens all the time", function()
    start({{validity = 3}}, {http = "lua_max_running_timers 2;", workers = 1,
      setup = {refreshAhead = 1, leeway = 0.2}, init_worker = "$setup", server = [[
      location /occupy { content_by_lua_block { ]] .. OCCUPY .. [[
        for _ = 1, 2 do
          assert(ngx.timer.at(0, function() while not is_over() do ngx.sleep(0.01) end end))
        end
        ngx.print "ok"
      } }]]})
    sandbox.await("no token", is_ready)
    gate:get("/occupy")
    sandbox.await("it does not end", function() return not is_ready() end, 6)
    assert.equal(200, (gate:get("/api/")))   -- whoever waits does the work
    sandbox.await("it does not end", function() return not is_ready() end, 6)
    check_heals()
  end)

  it("a bank that was down for long, with no request", function()
    start({{status = 500}, {status = 500}, {status = 500}, {status = 500}, {status = 500}, {}},
      {setup = {attempts = 1}, init_worker = [[
        require("corebank.auth.host.system").random = function() return 1 end
        $setup]]})
    sandbox.await("the bank is not asked", function() return scenario:posts() == 5 end, 15)
    local began = socket.gettime()
    sandbox.await("no token", is_ready, HEALED + 1)
    assert.is_true(socket.gettime() - began < HEALED)
    assert.equal(6, scenario:posts())
  end)

  it("a dict that was full: the token is shared again", function()
    start({{validity = 4}}, {dict = "lua_shared_dict corebank 16k;",
      setup = {refreshAhead = 1, leeway = 0.5}, init_worker = [[
        if ngx.worker.id() == 0 then
          local n = 0
          while ngx.shared.corebank:safe_set("filler" .. n, ("x"):rep(8)) do n = n + 1 end
        end
        $setup]], server = [[location /flush { content_by_lua_block {
          ngx.shared.corebank:flush_all() ngx.shared.corebank:flush_expired() } }]]})
    sandbox.await("no token", function() return gate:at_once(20, "/api/")[200] == 20 end)
    gate:get("/flush")
    sandbox.await("it is not shared", function()
      local before = gate:count "tokens"
      assert.same({[200] = 20}, gate:at_once(20, "/api/"))
      return gate:count "tokens" == before
        and gate:metric 'corebank_auth_injected_total{bank="default"}' > 0
    end, HEALED + 4)
    sandbox.await("it is not told", function()
      assert.same({[200] = 20}, gate:at_once(20, "/api/"))
      return gate:log():find("the store is used again", 1, true)
    end, HEALED + 4)
  end)
end)
