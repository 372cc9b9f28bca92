-- Many processes use one file store, and are killed while they do.

local core = require "corebank.auth.core"
local files = require "spec.support.files"
local lfs = require "lfs"
local place = require "spec.support.place"
local process = require "spec.process"
local survive = require "spec.support.survive"

local KILL, NAME, STOP = place.KILL, place.NAME, place.STOP
local here = place.of_each_test(before_each, after_each, teardown)

-- The nth value tells what it must be, whole.
local function value(n)
  return ("%08d"):format(n) .. (("%d "):format(n)):rep(200 + n % 900)
end

local function whole(bytes)
  return bytes == value(tonumber(bytes:sub(1, 8)))
end

local function allowed_files()
  local allowed = {["."] = true, [".."] = true, [NAME] = true, [NAME .. ".new"] = true,
    [NAME .. ".lease"] = true, [NAME .. ".lease.new"] = true}
  for name in lfs.dir(here.dir) do assert.is_true(allowed[name], name) end
end

describe("kill -9 at a random moment #slow", function()
  local function writer(store, last, times)
    return process.fork(function()
      for n = last + 1, last + times do
        store:lease(NAME, "child", 60)
        store:put(NAME, value(n), 60)
        store:release(NAME, "child")
      end
      return true
    end)
  end

  -- Seconds that a child takes to write once, on this machine, now.
  local function time_to_write(store)
    local began = core.boot()
    for _ = 1, 5 do assert.equal(0, process.wait(writer(store, 0, 1))) end
    return (core.boot() - began) / 5
  end

  it("leaves the old or the new bytes, and never a lease that nobody gets", function()
    local store = here:store()
    assert.is_true(store:put(NAME, value(0), 60))
    local longest = 2 * time_to_write(store)
    local seen, count, last = {}, 0, 0
    for _ = 1, 250 do
      local pid = writer(store, last, 1000)
      core.sleep(core.random() * longest)
      process.kill(pid, KILL)
      assert.equal(-KILL, process.wait(pid))
      local bytes = assert(store:get(NAME))
      assert.is_true(whole(bytes), "torn")
      last = tonumber(bytes:sub(1, 8))
      if not seen[last] then seen[last], count = true, count + 1 end
      assert.is_true(store:lease(NAME, "parent", 60))
      assert.is_true(store:release(NAME, "parent"))
    end
    allowed_files()
    assert.is_true(count > 20, count .. " rounds came to write")
    assert.is_true(store:put(NAME, "the last", 60))
    assert.equal("the last", store:get(NAME))
  end)
end)

describe("many processes at once", function()
  it("write whole entries, and a reader sees no other", function()
    local store = here:store()
    assert.is_true(store:put(NAME, value(0), 60))
    local writers = {}
    for i = 1, 4 do
      writers[i] = process.fork(function()
        for n = 1, 100 do assert(store:put(NAME, value(1000 * i + n), 60)) end
        return true
      end)
    end
    local ends = core.boot() + 0.3
    repeat assert.is_true(whole(assert(store:get(NAME)))) until core.boot() > ends
    for i = 1, 4 do assert.equal(0, process.wait(writers[i])) end
    assert.is_true(whole(assert(store:get(NAME))))
    allowed_files()
  end)

  -- 20 processes ask at the same moment, and none ends before all have asked; how many got it.
  local function race()
    local children, granted = {}, 0
    for i = 1, 20 do
      children[i] = process.fork(function()
        local store = here:store()
        repeat until lfs.attributes(here.parent .. "/start")
        local outcome = store:lease(NAME, "racer-" .. i, 60)
        files.write(here.parent .. "/asked-" .. i, "")
        here:await "end"
        return assert(outcome ~= nil, "a fault") and outcome
      end)
    end
    files.write(here.parent .. "/start", "")
    for i = 1, 20 do here:await("asked-" .. i) end
    files.write(here.parent .. "/end", "")
    for _, pid in ipairs(children) do
      granted = granted + (process.wait(pid) == 0 and 1 or 0)
    end
    os.execute(("cd '%s' && rm start end asked-*"):format(here.parent))
    return granted
  end

  it("race for a lease that nobody has: exactly one gets it", function()
    assert.equal(1, race())                -- no folder yet
    assert.equal(1, race())                -- its owner has died
    local store = here:store()
    assert.is_true(store:lease(NAME, "parent", 60))
    assert.equal(0, race())
    assert.is_true(store:release(NAME, "parent"))
    assert.equal(1, race())                -- it was given back
    allowed_files()
  end)

  it("never hold one lease together, however often they take it and give it back", function()
    local children = {}
    for i = 1, 6 do
      children[i] = process.fork(function()
        local store, owner = here:store(), "taker-" .. i
        local ends, taken = core.boot() + 0.7, 0
        repeat
          if assert(store:lease(NAME, owner, 60) ~= nil) and next(store.held) then
            assert(lfs.mkdir(here.parent .. "/inside"))   -- fails when there is another one inside
            assert(lfs.rmdir(here.parent .. "/inside"))
            assert(store:release(NAME, owner))
            taken = taken + 1
          end
        until core.boot() > ends and taken > 0 or core.boot() > ends + survive.seconds(10)
        return taken > 0
      end)
    end
    for i = 1, 6 do assert.equal(0, process.wait(children[i])) end
    allowed_files()
  end)

  it("race for the lease of a process that was stopped and has ended", function()
    local pid = here:holder(0.2)
    process.kill(pid, STOP)
    core.sleep(0.25)
    assert.equal(1, race())
    process.kill(pid, KILL)
    process.wait(pid)
  end)
end)
