-- How an nginx worker waits: tasks that go on when their request is gone.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

-- A handler that prints what `run` returns.
local function location(name, run)
  return ([[
    location /%s { content_by_lua_block {
      local host = require "corebank.auth.host.nginx"
      local core = require "corebank.auth.core"
      local function run() %s end
      ngx.print(tostring((run())))
    } }
]]):format(name, run)
end

-- Has the only timer that may run.
local OCCUPY = [[
  local occupied
  repeat
    ngx.timer.at(0, function() occupied = true ngx.sleep(6) end)
    ngx.sleep(0.05)
  until occupied
]]

describe("the host in nginx #nginx", function()
  local gate

  after_each(function()
    if gate then gate:stop() end
    gate = nil
  end)

  local function start(runs, http)
    local server = {}
    for name, run in pairs(runs) do server[#server + 1] = location(name, run) end
    gate = gateway.start{setup = {baseUrl = sandbox.bank().url}, workers = 1, http = http,
      server = table.concat(server)}
  end

  local function said(name)
    local status, _, body = gate:get("/" .. name)
    return status == 200 and body or status
  end

  it("runs tasks side by side, and wakes all who wait for one or for a condition", function()
    start{side_by_side = [[
      local began, list, condition, woken = core.boot(), {}, host.condition(), 0
      for i = 1, 20 do
        list[i] = host.spawn(function()
          host.sleep(0.2)
          if condition:wait(2) then woken = woken + 1 end
        end)
      end
      host.spawn(function()
        host.sleep(0.4)
        condition:signal()
      end)
      for i = 1, 20 do list[i]:wait() end
      return woken .. (core.boot() - began < 1.5 and " in time" or " late")]],
      too_long = [[
        local task = host.spawn(function() host.sleep(0.3) end)
        return (task:wait(0.05) or host.condition():wait(0.05)) == false and task:wait() == true]]}
    assert.equal("20 in time", said "side_by_side")
    assert.equal("true", said "too_long")
  end)

  it("lets tasks use the sockets of the Lua module", function()
    start{socket = [[
      local got
      local port = ngx.var.server_port
      host.spawn(function()
        local socket = ngx.socket.tcp()
        assert(socket:connect("127.0.0.1", port))
        assert(socket:send("GET /plain/ HTTP/1.0\r\n\r\n"))
        got = socket:receive("*l")
      end):wait()
      return got:match "200"]]}
    assert.equal("200", said "socket")
  end)

  it("goes on with a task whose request is gone", function()
    start{begin = [[ host.spawn(function() host.sleep(0.3) host.hasEnded = true end)
        return "begun" ]], ended = "return host.hasEnded"}
    assert.equal("begun", said "begin")
    sandbox.await("it does not go on", function() return said "ended" == "true" end)
  end)

  it("ends a task that is cancelled, and one that raises, and no other", function()
    start{cancel = [[
      local ends, went_on = {}, false
      local function note(...) ends[#ends + 1] = tostring((...)) end
      local cancelled = host.spawn(function() host.sleep(5) went_on = true end, note)
      local raises = host.spawn(function() host.sleep(0.05) error("mine", 0) end, note)
      local other = host.spawn(function() host.sleep(0.1) end, note)
      host.sleep(0.02)
      cancelled:cancel()
      raises:wait()
      other:wait()
      return table.concat(ends, " ") .. tostring(went_on) ]]}
    assert.equal("false false truefalse", said "cancel")
    assert.is_truthy(gate:log():find("a fetch ended with an error: mine", 1, true))
  end)

  it("runs a task by whoever waits for it when no timer is to be had", function()
    start({run = [[
      local began = core.boot()
      local got
      host.spawn(function() host.sleep(0.05) got = "done" end):wait()
      return got .. (core.boot() - began < 1 and " in time" or " late") ]],
      occupy = [[
]] .. OCCUPY .. [[
      return "occupied" ]]}, "lua_max_running_timers 1;")
    assert.equal("occupied", said "occupy")
    assert.equal("done in time", said "run")
  end)

  it("finds a task lost whose request is gone that ran it", function()
    start({lose = [[
]] .. OCCUPY .. [[
      host.lost = host.spawn(function() host.sleep(1) end)
      ngx.thread.spawn(function() ngx.sleep(0.7) ngx.exit(200) end)
      host.lost:wait() ]], find = "return host.lost:wait() and host.lost.isCancelled"},
      "lua_max_running_timers 1;")
    said "lose"
    assert.equal("true", said "find")
  end)

  it("does not take a task for lost that waits by means of its own, whoever runs it", function()
    start({occupy = OCCUPY .. [[ return "occupied" ]],
      slow = [[
      local got
      local task = host.spawn(function() ngx.sleep(3.5) got = "done" end)
      ngx.thread.spawn(function() task:wait() end)
      task:wait()
      return got .. tostring(task.isCancelled) ]]}, "lua_max_running_timers 1;")
    assert.equal("occupied", said "occupy")
    assert.equal("donenil", said "slow")
  end)

  it("gives a timer tasks for a while only, so that it ends with what they leave in its memory",
    function()
      start{run = [[
        local first, last = host.spawn(function() host.sleep(0.5) end), nil
        local ends = core.boot() + 11
        while core.boot() < ends do   -- at any moment there are some
          last = host.spawn(function() host.sleep(0.5) end)
          host.sleep(0.2)
        end
        last:wait()
        return first.runner ~= last.runner and not next(first.runner.threads) and "another" ]]}
      assert.equal("another", said "run")
    end)
end)
