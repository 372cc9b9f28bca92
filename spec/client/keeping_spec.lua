-- FAULTS of keeping a token, against the real bank and the real clock; spec/client has the policy.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

local function client_of(steps, changes)
  local scenario = bank:scenario(steps)
  local events = {}
  local options = survive.options(changes)
  options.baseUrl = scenario.baseUrl
  options.onEvent = function(event) events[#events + 1] = event end
  return auth.client(options), scenario, events
end

describe("a client at the bank #transfer", function()
  it("sends nothing before the first token(), then one POST for many calls", function()
    local kept, scenario, events = client_of{}
    assert.equal(0, scenario:posts())
    assert.is_nil(kept:peek())
    local token = assert(kept:token())
    for _ = 1, 100 do assert.equal(token, kept:token()) end
    assert.equal(token, kept:peek())
    assert.equal(1, scenario:posts())
    survive.no_canary{kept, events, kept:explain()}
    survive.no_canary(tostring(kept))
    kept:close()
  end)

  it("refreshes while the script goes on, and never blocks for it", function()
    local kept, scenario = client_of({{validity = 4}, {delay = 0.6, validity = 60}},
      {refreshAhead = 2, leeway = 0.2})
    local first = assert(kept:token())
    local longest, last = 0, first
    local ends = socket.gettime() + 3.2
    while socket.gettime() < ends do
      local began = socket.gettime()
      last = assert(kept:token())
      longest = math.max(longest, socket.gettime() - began)
      socket.sleep(0.02)
    end
    assert.are_not.equal(first.accessToken, last.accessToken)
    assert.equal(2, scenario:posts())
    assert.is_true(longest < survive.seconds(0.3), longest)
    kept:close()
  end)

  it("401, then 10 more calls: 1 POST, the same problem, remembered", function()
    local kept, scenario = client_of{{status = 401}}
    local _, message, first = kept:token()
    assert.equal("denied", first.code)
    for _ = 1, 10 do
      local token, again, problem = kept:token()
      assert.is_nil(token)
      assert.equal(message, again)
      assert.is_true(problem.remembered)
      assert.equal(first:body(), problem:body())
    end
    assert.equal(1, scenario:posts())
    kept:close()
  end)

  it("Ctrl-C while it waits: the next call, however late, asks the bank anew #slow", function()
    local kept, scenario = client_of({{delay = 10}, {}}, {timeout = 2})
    local began = core.boot()
    debug.sethook(function()
      if core.boot() > began + 0.1 and scenario:posts() == 1 then
        debug.sethook()
        error("interrupted!", 0)
      end
    end, "", 100)
    local ok, fault = pcall(kept.token, kept)
    debug.sethook()
    assert.is_false(ok)
    assert.equal("interrupted!", fault)
    socket.sleep(2.2)   -- it was left alone for longer than its timeout
    assert(kept:token())
    assert.equal(2, scenario:posts())
    kept:close()
  end)

  it("a token that was rejected is replaced by the next call", function()
    local kept, scenario = client_of{}
    local first = assert(kept:token())
    assert.is_true(kept:invalidate(first))
    local second = assert(kept:token())
    assert.are_not.equal(first.accessToken, second.accessToken)
    assert.is_false(kept:invalidate(first))
    assert.equal(2, scenario:posts())
    kept:close()
  end)

  it("a bank that is down takes no valid token away", function()
    local kept, scenario = client_of({{validity = 3}, {status = 503}},
      {refreshAhead = 1.5, leeway = 0.1})
    local first = assert(kept:token())
    local ends = socket.gettime() + 2.6
    while socket.gettime() < ends do
      assert.equal(first, kept:token())
      socket.sleep(0.05)
    end
    assert.is_true(scenario:posts() >= 2)
    kept:close()
  end)

  it("a forked child keeps its own", function()
    local kept, scenario = client_of{}
    local mine = assert(kept:token()).accessToken
    local child = process.fork(function()
      local inherited = kept:token()
      kept:invalidate(inherited)
      return inherited.accessToken == mine and assert(kept:token()).accessToken ~= mine
    end)
    assert.equal(0, process.wait(child))
    assert.equal(mine, kept:token().accessToken)
    assert.equal(2, scenario:posts())
    kept:close()
  end)
end)

describe("a secret file that is replaced #transfer", function()
  local path
  before_each(function()
    path = os.tmpname()
    process.chmod(path, 384)   -- 0600
  end)
  after_each(function() os.remove(path) end)

  local function write(content)
    files.write(path, content)
  end

  it("before a call: the new secret is used before the caller hears of a denial", function()
    write("canary-secret-old\n")
    local secret = auth.secret.file(path)
    write(bank.clientSecret .. "\n")
    local scenario = bank:scenario{}
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl, clientSecret = secret}))
    assert.equal(2, scenario:posts())
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl, clientSecret = secret}))
    assert.equal(3, scenario:posts())
  end)

  it("by another wrong one: one more try, then denied", function()
    write("canary-secret-old")
    local secret = auth.secret.file(path)
    write("canary-secret-new")
    local scenario = bank:scenario{}
    local _, message, problem = auth.authenticate(survive.options{baseUrl = scenario.baseUrl,
      clientSecret = secret})
    assert.equal("denied", problem.code)
    assert.equal(2, problem.attempts)
    assert.equal(2, scenario:posts())
    survive.no_canary{message, problem}
  end)

  it("after a denial: the latch opens at once", function()
    write("canary-secret-old")
    local kept, scenario = client_of({}, {clientSecret = auth.secret.file(path)})
    assert.equal("denied", select(3, kept:token()).code)
    assert.is_true(select(3, kept:token()).remembered)
    assert.equal(1, scenario:posts())
    write(bank.clientSecret)
    assert(kept:token())
    assert.equal(2, scenario:posts())
    kept:close()
  end)

  it("while two are asking with it: both use the new one", function()
    write("canary-secret-old")
    local secret = auth.secret.file(path)
    write(bank.clientSecret)
    local late = {delay = 0.3}   -- both ask before either is denied
    local scenario = bank:scenario{late, late, {}}
    local options = survive.options{baseUrl = scenario.baseUrl, clientSecret = secret}
    for _, result in ipairs(auth.authenticateAll{options, options}) do
      assert.is_true(result.token ~= nil, result.message)
    end
    assert.equal(4, scenario:posts())
  end)

  it("after the denials of two that have it: either latch opens", function()
    write("canary-secret-old")
    local changes = {clientSecret = auth.secret.file(path)}
    local one, other = client_of({}, changes), client_of({}, changes)
    for _, kept in ipairs{one, other} do assert.equal("denied", select(3, kept:token()).code) end
    write(bank.clientSecret)
    assert.is_true(one:token() ~= nil)
    assert.is_true(other:token() ~= nil)
  end)

  it("by one that the store does not know yet: what others with it find", function()
    write(bank.clientSecret)
    local store = auth.store.memory()
    local kept, scenario = client_of({{}, {status = 401},
      {body = '{"accessToken":"canary-token-new","tokenValiditySec":60}'}},
      {clientSecret = auth.secret.file(path), store = store})
    kept:invalidate(assert(kept:token()))
    write("canary-secret-new")
    assert.is_true(kept:token().accessToken == "canary-token-new")
    local other = auth.client(survive.options{baseUrl = scenario.baseUrl, store = store,
      clientSecret = auth.secret.file(path)})
    assert.is_true(other:token().accessToken == "canary-token-new")
    assert.equal(3, scenario:posts())
  end)

  it("while others have the old one: they take the token that the first one got", function()
    write(bank.clientSecret)
    local store = auth.store.memory()
    local kept, scenario = client_of({{}, {status = 401},
      {body = '{"accessToken":"canary-token-new","tokenValiditySec":60}'}, {status = 401}},
      {clientSecret = auth.secret.file(path), store = store})
    local other = auth.client(survive.options{baseUrl = scenario.baseUrl, store = store,
      clientSecret = auth.secret.file(path)})
    local same = assert(kept:token()) and assert(other:token())
    kept:invalidate(kept:peek())
    other:invalidate(same)
    write("canary-secret-new")
    assert.is_true(kept:token().accessToken == "canary-token-new")
    assert.equal(3, scenario:posts())
    assert.is_true(other:token().accessToken == "canary-token-new")
    assert.equal(4, scenario:posts())   -- the one that told it of the change
    assert.equal("store", other:explain().source)
  end)

  it("by nothing that can be used: the last good secret is kept", function()
    write(bank.clientSecret)
    local secret = auth.secret.file(path)
    local unusable = {"", "a\r\n", ("x"):rep(5000), ("x"):rep(101), ("\1"):rep(400)}
    local answers = {}
    for i = 1, #unusable do answers[2 * i - 1], answers[2 * i] = {status = 401}, {} end
    local scenario = bank:scenario(answers)
    local options = survive.options{baseUrl = scenario.baseUrl, clientSecret = secret}
    for _, content in ipairs(unusable) do
      write(content)
      assert.equal("denied", select(3, auth.authenticate(options)).code)
      assert(auth.authenticate(options))
    end
    os.remove(path)
    assert(auth.authenticate(options))
    assert.equal(2 * #unusable + 1, scenario:posts())
  end)
end)

describe("auth.client", function()
  it("raises for a mistake at the caller's line, and for use after close", function()
    local ok, message = pcall(function() return (auth.client{leway = 3}) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("keeping_spec.lua:%d+: client: unknown option 'leway'"), message)
    ok, message = pcall(function() return (auth.authenticate{leeway = 3}) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("leeway is an option of auth.client only", 1, true), message)
    local kept = client_of{}
    kept:close()
    for _, method in ipairs{"token", "invalidate", "look", "forget"} do
      ok, message = pcall(function() return (kept[method](kept)) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("keeping_spec.lua:%d+: the client is closed"), message)
    end
  end)
end)

-- A process of its own, whose name service is a file that this one writes.
local MOVING = [[
local auth = require "corebank.auth"
local socket = require "socket"

local function point_at(address)
  local file = assert(io.open(os.getenv "NSS_WRAPPER_HOSTS", "w"))
  file:write(address, " bank.test\n")
  file:close()
end

point_at "127.0.0.1"
local bank = auth.client{baseUrl = arg[1], clientId = "id", clientSecret = "canary-secret",
  allowPlaintext = true, proxy = ""}
assert(bank:token())
socket.sleep(1.2)   -- the name service looks at its file's time, in seconds
point_at "127.0.0.2"
bank:invalidate(bank:peek())
assert(bank:token())
]]

-- ASan's library must be the first of all, and a name service of ours would be before it.
if os.getenv("CBA_BUILD"):find("asan") then return end

describe("a bank that moves to another address", function()
  it("while the old host still answers: the next refresh goes to the new one", function()
    local answer = {"read_request", {"send", sandbox.answer()}, "close"}
    local old = sandbox.raw{connections = {answer}}
    local new = sandbox.raw{connections = {answer}, host = "127.0.0.2", port = old.port}
    local script, hosts = os.tmpname(), os.tmpname()
    files.write(script, MOVING)
    local pipe = io.popen(("%s=libnss_wrapper.so NSS_WRAPPER_HOSTS=%s %s %s %s 2>&1; echo $?")
      :format("LD_PRELOAD", hosts, os.getenv("CBA_LUA"), script, "http://bank.test:" .. old.port))
    local output = pipe:read("*a")
    pipe:close()
    os.remove(script)
    os.remove(hosts)
    assert.equal("0\n", output)
    assert.equal(1, old:posts())
    assert.equal(1, new:posts())
    old:stop()
    new:stop()
  end)
end)
