-- FAULTS, "Process": forks, collected and closed objects, states that end early.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"
local transfers = require "spec.support.transfer"

local bank = sandbox.bank()

describe("a fork while an engine exists #transfer", function()
  it("gives each of 4 children its own token and connection; the parent goes on", function()
    local scenario = bank:scenario{}
    local mine = survive.options{baseUrl = scenario.baseUrl}
    assert(auth.authenticate(mine))
    local children = {}
    for i = 1, 4 do
      children[i] = process.fork(function()
        local first, second = auth.authenticate(mine), auth.authenticate(mine)
        return first and second and first.accessToken ~= second.accessToken
      end)
    end
    assert(auth.authenticate(mine))
    for _, pid in ipairs(children) do assert.equal(0, process.wait(pid)) end
    assert(auth.authenticate(mine))

    local connections, count = {}, 0
    for _, request in ipairs(scenario:requests()) do
      if not connections[request.connection] then count = count + 1 end
      connections[request.connection] = (connections[request.connection] or 0) + 1
    end
    -- The parent's and one each; or one for each request.
    assert.equal(survive.keepsConnections and 5 or 11, count)
    assert.equal(11, scenario:posts())
    for _, uses in pairs(connections) do
      assert.is_true(uses <= 3 and (uses > 1) == survive.keepsConnections)
    end
  end)

  it("leaves a transfer in flight to the parent", function()
    local scenario = bank:scenario{{delay = 0.3}}
    local transfer = transfers.start{baseUrl = scenario.baseUrl}
    transfer:step()
    local child = process.fork(function()
      local result = transfers.finish(transfer)
      transfer:close()
      collectgarbage()
      return result.failure == "network" and auth.authenticate(survive.options()) ~= nil
    end)
    assert.equal(0, process.wait(child))
    assert.equal(200, transfers.finish(transfer).status)
    assert(transfer:reply())
    assert.equal(1, scenario:posts())
  end)

  it("hands the sockets on to no program that is started", function()
    local scenario = bank:scenario{{delay = 0.2}}
    local transfer = transfers.start{baseUrl = scenario.baseUrl}
    transfer:wait(0.05)
    local port = bank.url:match("(%d+)$")
    local hex = ("%04X"):format(port)
    -- The sockets of the child that are connected to the bank: there must be none.
    local list = io.popen(([[for n in $(ls -l /proc/self/fd | sed -n 's/.*socket:\[\(.*\)\]/\1/p')
      do grep " 0100007F:%s 01 .* $n " /proc/net/tcp; done; echo done]]):format(hex))
    local shown = list:read("*a")
    list:close()
    assert.equal("done\n", shown)
    transfers.finish(transfer)
    transfer:close()
  end)
end)

describe("the module loaded again #transfer", function()
  it("knows the objects of the first time", function()
    local secret, transfer = core.secret("canary-secret-old"), transfers.start()
    local loaded = package.loaded["corebank.auth.core"]
    package.loaded["corebank.auth.core"] = nil
    local again = require "corebank.auth.core"
    package.loaded["corebank.auth.core"] = loaded
    assert.are_not.equal(loaded, again)
    assert.is_true(again.is_secret(secret))
    transfers.finish(transfer)
    transfer:close()
    secret:close()
    assert.is_false(again.is_secret(secret))
  end)
end)

describe("a program that ends #transfer", function()
  -- Runs a script in a process of its own with this run's modules; its exit status and output. A
  -- SIGPIPE ends it: LuaSocket, here, ignores them, and who is started by us would inherit that.
  local function run(script, url, environment)
    local path = os.tmpname()
    files.write(path, script)
    local command = "SPEC_CA='%s' SPEC_URL='%s' SPEC_ID='%s' SPEC_SECRET='%s' "
      .. "env --default-signal=PIPE %s %s %s 2>&1; echo $?"
    local pipe = io.popen(command:format(bank.caFile, url or bank.url, bank.clientId,
      bank.clientSecret, environment or "", os.getenv("CBA_LUA"), path))
    local output = pipe:read("*a")
    pipe:close()
    os.remove(path)
    return output
  end

  local prelude = [[
    local auth = require "corebank.auth"
    local core = require "corebank.auth.core"
    local options = require "corebank.auth.options.read"
    local given = {baseUrl = os.getenv("SPEC_URL"), clientId = os.getenv("SPEC_ID"),
      clientSecret = os.getenv("SPEC_SECRET"), caFile = os.getenv("SPEC_CA")}
    local function post(settings, seconds)
      return core.transfer(settings.endpoint, {url = settings.url, method = "POST",
        headers = {"Content-Type: application/json"}, clientId = settings.clientId,
        clientSecret = settings.clientSecret}, seconds)
    end
  ]]

  it("is not one whose kept connection the bank resets: its goodbye goes nowhere", function()
    local raw = sandbox.raw{connections = {{"starttls", "read_request",
      {"send", sandbox.answer()}, {"sleep", 0.1}, "reset"}}}
    local output = run(prelude .. [[
      for _ = 1, 3 do
        assert(auth.authenticate(given))
        core.sleep(0.3)
      end
      print "it lives"]], raw.httpsUrl)
    raw:stop()
    assert.equal("it lives\n0\n", output)
    assert.equal(3, raw:posts())
  end)

  -- A name service that hangs: its file of hosts is a pipe into which nobody writes.
  it("is not one whose name service hangs up: SIGPIPE is held back in its thread, too", function()
    if os.getenv("CBA_BUILD"):find("asan") then return end   -- its library must be the first of all
    local hosts = os.tmpname()
    os.remove(hosts)
    assert(os.execute("mkfifo -m 600 " .. hosts))
    local output = run(prelude .. [[
      local settings = options.read(given)
      post(settings, 5):step()
      core.sleep(0.3)
      os.execute(("cd /proc/%d/task && grep -h SigBlk */status"):format(core.pid()))
      io.stdout:flush()
      os.exit(0, false)]], "https://bank.test",
      "LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS=" .. hosts)
    os.remove(hosts)
    local threads = 0
    for hexadecimal in output:gmatch "SigBlk:%s*(%x+)" do
      local is_held = tonumber(hexadecimal:sub(-4, -4), 16) % 2 == 1   -- signal 13
      threads = threads + 1
      assert.is_true(threads == 1 or is_held, output)
    end
    assert.is_true(threads > 1, output)
  end)

  it("with a transfer in flight ends quietly", function()
    assert.equal("0\n", run(prelude .. [[
      local settings = options.read(given)
      kept = post(settings, 5)
      kept:step()
    ]]))
  end)

  it("right after a call ends quietly", function()
    assert.equal("0\n", run(prelude .. "assert(auth.authenticate(given))"))
  end)

  it("with a call in a finalizer ends without a crash", function()
    assert.is_truthy(run(prelude .. [[
      guard = setmetatable({}, {__gc = function() pcall(auth.authenticate, given) end})
      if newproxy then
        guard = newproxy(true)
        getmetatable(guard).__gc = function() pcall(auth.authenticate, given) end
      end
      assert(auth.authenticate(given))
    ]]):find("^0\n$"))
  end)

  if rawget(_G, "newproxy") then
    it("with calls in a finalizer of a closing Lua 5.1 ends without a crash", function()
      for _, call in ipairs{[[core.secret("x"):close()]],
        [[post(settings, 1):close()]]} do
        assert.equal("0\n", run(prelude .. [[
          local settings = options.read(given)
          post(settings, 1):close()
          guard = newproxy(true)
          getmetatable(guard).__gc = function()
            for _ = 1, 20000 do ]] .. call .. [[ end
          end]]), call)
      end
    end)
  end

  it("creates nothing at require", function()
    assert.equal("true\n0\n", run([[
      local function count(dir)
        local n = 0
        for _ in require("lfs").dir(dir) do n = n + 1 end
        return n
      end
      local files, tasks = count("/proc/self/fd"), count("/proc/self/task")
      require "corebank.auth"
      print(files == count("/proc/self/fd") and tasks == count("/proc/self/task"))
    ]]))
  end)
end)

describe("a call that is interrupted #transfer", function()
  it("ends its transfer: no later call sends it on", function()
    local scenario = bank:scenario{{delay = 0.3}}
    if jit then jit.off() jit.flush() end   -- compiled code calls no hook
    local interrupted = pcall(function()
      debug.sethook(function()
        if debug.getinfo(2, "S").source:find("host/scheduler", 1, true) then
          debug.sethook()   -- as lua's own handler of Ctrl-C does
          error("interrupted", 0)
        end
      end, "l")
      auth.authenticate(survive.options{baseUrl = scenario.baseUrl})
    end)
    debug.sethook()
    if jit then jit.on() end
    assert.is_false(interrupted)
    local posts = scenario:posts()
    assert(auth.authenticate(survive.options()))
    assert(auth.authenticate(survive.options()))
    assert.equal(posts, scenario:posts())
    survive.case{}
  end)
end)

describe("many calls #transfer", function()
  it("leave memory, descriptors and threads as they were", function()
    local function round()
      for _ = 1, 50 do
        assert(auth.authenticate(survive.options()))
        auth.authenticate(survive.options{clientSecret = "canary-secret-wrong"})
        auth.authenticate(survive.options{baseUrl = "http://127.0.0.1:" .. sandbox.closedPort()})
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    round()
    local before = round()
    for _ = 1, 3 do round() end
    local after = round()
    assert.is_true(after < before + 32, ("%.0f KiB, then %.0f KiB"):format(before, after))
    survive.case{}
  end)
end)
