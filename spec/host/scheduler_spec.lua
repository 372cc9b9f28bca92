-- How a plain script waits, with a clock and transfers that are tables.

local scheduler = require "corebank.auth.host.scheduler"

-- A host in a world of its own. Its transfers are done at a moment; waiting for one lasts until the
-- next of them is.
local function new_world()
  local world = {now = 1000, pid = 1, slept = 0, ready = {}}
  local function pass(seconds)
    assert(seconds >= 0 and seconds < math.huge)
    world.slept = world.slept + 1
    world.now = world.now + seconds
  end
  world.host = scheduler.new{boot = function() return world.now end, sleep = pass,
    pid = function() return world.pid end}
  function world.transfer(takes)
    local transfer, ends = {}, world.now + takes
    world.ready[transfer] = ends
    function transfer.step() return world.now >= ends end
    transfer.is_done = transfer.step
    function transfer.wait(_, seconds)
      for _, moment in pairs(world.ready) do
        if moment > world.now then seconds = math.min(seconds, moment - world.now) end
      end
      pass(seconds)
      return transfer.step()
    end
    return transfer
  end
  return world, world.host
end

describe("a plain script", function()
  it("runs tasks side by side while it waits for one", function()
    local world, host = new_world()
    local told = {}
    local function work(name, seconds)
      return function()
        told[#told + 1] = name .. " begins"
        host.sleep(seconds)
        host.await(world.transfer(seconds))
        told[#told + 1] = name .. " ends"
        return name
      end
    end
    local outcome
    local slow = host.spawn(work("slow", 2), function(...) outcome = {...} end)
    host.spawn(work("quick", 1))
    assert.same({}, told)
    assert.is_true(slow:wait())
    assert.same({"slow begins", "quick begins", "quick ends", "slow ends"}, told)
    assert.same({true, "slow"}, outcome)
    assert.equal(1004, world.now)
    assert.is_true(slow:wait(0))
  end)

  it("waits no longer than it says", function()
    local world, host = new_world()
    local task = host.spawn(function() host.sleep(10) end)
    assert.is_false(task:wait(3))
    assert.equal(1003, world.now)
    assert.is_false(host.await(world.transfer(10), 2))
    assert.equal(1005, world.now)
    host.sleep(-1)
    host.sleep(0)
    assert.equal(1005, world.now)
  end)

  it("is woken by a condition, as all are who wait for it", function()
    local world, host = new_world()
    local condition, woken = host.condition(), {}
    condition:signal()   -- nobody waits yet
    for i = 1, 3 do
      host.spawn(function() woken[i] = condition:wait(i == 3 and 1 or nil) end)
    end
    host.spawn(function()
      host.sleep(2)
      condition:signal()
    end)
    assert.is_true(condition:wait())
    assert.equal(1002, world.now)
    host.poll()
    assert.same({true, true, false}, woken)
  end)

  it("is told when nothing would ever wake it", function()
    local _, host = new_world()
    assert.has_error(function() host.condition():wait() end)
    local own
    own = host.spawn(function() own:wait() end)
    assert.has_error(function() own:wait() end, "a task waits for its own end")
  end)

  it("moves tasks on without waiting, and those that tasks start", function()
    local world, host = new_world()
    local inner, steps = nil, 0
    host.spawn(function()
      inner = host.spawn(function() steps = steps + 1 end)
      inner:wait()
      steps = steps + 1
    end)
    host.poll()
    host.poll()
    host.poll()
    assert.equal(2, steps)
    assert.equal(1000, world.now)
  end)

  it("waits, too, in a coroutine of its own, and in a handler that a task's end calls", function()
    local world, host = new_world()
    local inside
    host.spawn(function() host.sleep(1) end, function()
      inside = select(2, pcall(host.await, world.transfer(1)))
    end)
    coroutine.wrap(function() host.sleep(3) end)()
    assert.is_true(inside)
    assert.equal(1003, world.now)
  end)

  it("leaves the processor to others", function()
    local world, host = new_world()
    for _ = 1, 10 do
      host.spawn(function()
        for _ = 1, 3 do host.sleep(1) end
      end)
    end
    host.sleep(5)
    assert.is_true(world.slept <= 5, world.slept)
  end)
end)

describe("a task", function()
  it("that raises ends with that, and raises for whoever moved it on", function()
    local _, host = new_world()
    local outcome
    local task = host.spawn(function()
      host.sleep(1)
      error("mine", 0)
    end, function(...) outcome = {...} end)
    assert.has_error(function() host.sleep(2) end, "mine")
    assert.same({false, "mine"}, outcome)
    assert.is_true(task:is_done())
    host.sleep(2)
  end)

  it("that is cancelled ends where it waits, once", function()
    local world, host = new_world()
    local outcomes, went_on = {}, false
    local task = host.spawn(function()
      host.await(world.transfer(1))
      went_on = true
    end, function(...) outcomes[#outcomes + 1] = {...} end)
    host.poll()
    task:cancel()
    task:cancel()
    assert.same({{false}}, outcomes)
    assert.is_true(task:wait())
    host.sleep(2)
    assert.is_false(went_on)
  end)

  it("that cancels itself ends when it waits, or returns", function()
    for _, waits in ipairs{true, false} do
      local _, host = new_world()
      local own, outcome, went_on
      own = host.spawn(function()
        own:cancel()
        assert(not outcome)
        if waits then host.sleep(0) end
        went_on = true
      end, function(...) outcome = {...} end)
      host.poll()
      assert.is_false(outcome[1])
      assert.equal(not waits or nil, went_on)
    end
  end)

  it("is idle when nobody has moved it on for more than 2 s, unless it rests", function()
    for seconds, idle in pairs{[1.9] = false, [2.1] = true} do
      local world, host = new_world()
      local asks = host.spawn(function() host.await(world.transfer(100)) end)
      local rests = host.spawn(function() host.sleep(5) end)
      host.poll()
      world.now = world.now + seconds
      host.poll()
      assert.equal(idle, asks.wasIdle == true)
      assert.is_nil(rests.wasIdle)
    end
  end)

  it("is idle while another one's handler takes long, and one that begins then is not", function()
    local world, host = new_world()
    local asks = host.spawn(function() host.await(world.transfer(100)) end)
    local late
    host.spawn(function() end, function()
      world.now = world.now + 12
      late = host.spawn(function() host.await(world.transfer(100)) end)
    end)
    host.poll()
    host.poll()
    assert.is_true(asks.wasIdle)
    assert.is_nil(late.wasIdle)
  end)

  it("is not idle while somebody waits", function()
    local world, host = new_world()
    local task = host.spawn(function() host.await(world.transfer(100)) end)
    host.sleep(10)
    host.poll()
    assert.is_nil(task.wasIdle)
  end)

  it("of a parent is none of a forked child's", function()
    local world, host = new_world()
    local moved, ended = false, false
    local task = host.spawn(function()
      host.sleep(1)
      moved = true
    end, function(ok) ended = not ok end)
    host.poll()
    world.pid = 2
    host.sleep(5)
    assert.is_true(ended and task:is_done())
    assert.is_false(moved)
  end)

  it("goes on when nobody holds it", function()
    local _, host = new_world()
    local ended = false
    host.spawn(function()
      host.sleep(1)
      ended = true
    end)
    collectgarbage()
    collectgarbage()
    host.sleep(2)
    assert.is_true(ended)
  end)

  it("ends wherever Ctrl-C meets it", function()
    local n, interrupted = 0
    repeat
      n = n + 1
      local _, host = new_world()
      local ends = 0
      local task = host.spawn(function() host.sleep(1) end, function() ends = ends + 1 end)
      interrupted = not pcall(function()
        debug.sethook(function()
          debug.sethook()
          error("interrupted!", 0)
        end, "", n)
        task:wait()
        debug.sethook()
      end)
      for _ = 1, 3 do host.sleep(1) end
      assert.is_true(task:is_done(), n)
      assert.is_true(ends <= 1, n)
    until not interrupted
    assert.is_true(n > 50)   -- instructions are counted
  end)
end)
