-- S41: a process of the same user that stands still in the middle of writing to the file store.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local lfs = require "lfs"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local quoted = files.quoted

local NAME = ("0123456789abcdef"):rep(2)
local KILL, CONT = 9, 18
local PRELOADED = ("build/%s/spec/stand_still.so"):format(os.getenv "CBA_BUILD" or "")

local parent, dir
before_each(function()
  parent = files.new_folder()
  dir = parent .. "/store"
end)
after_each(function() os.execute("rm -rf " .. quoted(parent)) end)

local standing   -- the process of a test

local function state_of(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  local text = file and file:read "*a"
  if file then file:close() end
  return text and text:match "^%d+ %b() (%a)"
end

after_each(function()
  if standing and state_of(standing) == "T" then process.kill(standing, KILL) end
  standing = nil
end)

-- A process that runs `script` with the store and stands still at `place`; its id. What the script
-- prints comes into the file `said`.
local function stopped(place, script)
  files.write(parent .. "/script.lua", ([[
    local store = require "corebank.auth".store.file{dir = "%s"}
    local NAME = "%s"
    %s
    print "the end"
  ]]):format(dir, NAME, script))
  -- Started in the background, so that nobody waits for it.
  local pid = files.lines_of(("LD_PRELOAD=%s CBA_STOP=%s %s %s >%s 2>&1 & echo $!"):format(
    quoted(PRELOADED), place, os.getenv "CBA_LUA", quoted(parent .. "/script.lua"),
    quoted(parent .. "/said")))[1]
  sandbox.await("it does not stand still", function() return state_of(pid) == "T" end,
    survive.seconds(10))
  standing = tonumber(pid)
  return standing
end

-- Lets it go on; what it said.
local function wake(pid)
  process.kill(pid, CONT)
  return sandbox.await("it does not end", function()
    local said = files.content(parent .. "/said")
    return said:find "the end\n" and said
  end, survive.seconds(10))
end

-- A client of the store, and what it tells of it.
local function client_of(scenario)
  local faults = {}
  local client = auth.client(survive.options{baseUrl = scenario.baseUrl, timeout = 10,
    store = auth.store.file{dir = dir}, onEvent = function(event)
      if event.name == "store_failed" then
        faults[#faults + 1] = event.operation .. ": " .. event.fault
      end
    end})
  return client, faults
end

local PUT = [[print(select(2, store:put(NAME, "old bytes", 60)))]]
local LEASE = [[print((store:lease(NAME, "stopped", 60)))]]

if os.getenv("CBA_BUILD"):find "asan" then return end   -- its library must be preloaded first

describe("S41: a process that stands still #slow", function()
  for _, place in ipairs{"pwrite", "renameat"} do
    it("while it writes an entry (" .. place .. "): others are told, then write theirs", function()
      local pid = stopped(place, PUT)
      local store = auth.store.file{dir = dir}
      local began = core.boot()
      local done, fault = store:put(NAME, "new bytes", 60)
      assert.is_true(core.boot() - began < survive.seconds(2))
      assert.is_nil(done)
      assert.is_truthy(fault:find("which may be stopped; the entry was not stored", 1, true), fault)
      local remark
      sandbox.await("nobody takes over", function()
        done, remark = store:put(NAME, "new bytes", 60)
        return done
      end, survive.seconds(10))
      assert.is_truthy(remark:find("%.new was held by a stopped process"), remark)
      assert.is_true(store:put(NAME, "newer bytes", 60))
      local said = wake(pid)
      assert.is_truthy(said:find("was taken over, because this process was stopped", 1, true), said)
      assert.equal("newer bytes", store:get(NAME))
      assert.equal(3, files.count_entries(dir))
    end)

    it("while it takes a lease (" .. place .. "): the next has it soon, and it is told", function()
      local pid = stopped(place, LEASE)
      local store = auth.store.file{dir = dir}
      assert.is_false(store:lease(NAME, "next", 60))
      local began, granted, remark = core.boot(), nil, nil
      sandbox.await("nobody takes over", function()
        granted, remark = store:lease(NAME, "next", 60)
        return granted
      end, survive.seconds(10))
      assert.is_true(core.boot() - began < survive.seconds(5))
      assert.is_truthy(remark:find("%.lease%.new was held by a stopped process"), remark)
      assert.equal("false\nthe end\n", wake(pid))
      assert.is_false(auth.store.file{dir = dir}:lease(NAME, "third", 60))
      assert.is_true(store:lease(NAME, "next", 60))   -- it is still ours
    end)
  end

  it("does not keep tokens from anybody: one POST, and all have it", function()
    local scenario = bank:scenario{{}}
    local first = client_of(scenario)
    assert(first:token())
    first:forget()
    local lease = files.lines_of(("cd %s; ls *.lease"):format(quoted(dir)))[1]
    stopped("pwrite", LEASE:gsub("NAME", '"' .. lease:gsub("%.lease$", "") .. '"'))
    local posts = scenario:posts()
    local children = {}
    for i = 1, 5 do
      children[i] = process.fork(function()
        return client_of(scenario):token() ~= nil
      end)
    end
    for i = 1, 5 do assert.equal(0, process.wait(children[i])) end
    assert.equal(1, scenario:posts() - posts)
  end)

  it("makes a token that is not stored an event, and the next one is stored", function()
    local scenario = bank:scenario{{}}
    local first = client_of(scenario)
    assert(first:token())
    local name = files.lines_of(("cd %s; ls | grep -v lease"):format(quoted(dir)))[1]
    first:forget()
    stopped("pwrite", PUT:gsub("NAME", '"' .. name .. '"'))
    local second, faults = client_of(scenario)
    assert(second:token())
    assert.equal(1, #faults)
    assert.is_truthy(faults[1]:find("^put: .*; the entry was not stored$"), faults[1])
    sandbox.await("nobody takes over", function()
      local third = client_of(scenario)
      assert(third:token())
      return lfs.attributes(dir .. "/" .. name)
    end, survive.seconds(10))
    local posts = scenario:posts()
    assert(client_of(scenario):token())
    assert.equal(posts, scenario:posts())
  end)
end)
