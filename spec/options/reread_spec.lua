-- S34: after a denial the secret's file is read again. Where that cannot be, everybody who hears of
-- the denial hears why.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local NOBODY = 65534

local bank = sandbox.bank()

describe("S34: a secret file that cannot be read again after a denial", function()
  local user = command.user(setup, teardown)
  local path

  local function replace(bytes, mode)
    return function() path = user:write("secret", bytes, mode) end
  end

  before_each(function()
    path = user.home .. "/secret"
    os.execute("rm -rf " .. path)
    replace "canary-secret-old"()
  end)

  local function run(shell)
    return function() os.execute((shell:gsub("FILE", path))) end
  end

  -- how the file is spoilt, and what is said then
  local faults = {
    {run "rm -rf FILE", "No such file or directory"},
    {run "rm -rf FILE; ln -s FILE FILE", "Too many levels of symbolic links"},
    {run "rm -rf FILE; mkdir FILE", "it is not a regular file"},
    {run "rm -rf FILE; mkfifo FILE", "it is not a regular file"},
    {replace "", "it is empty"},
    {replace "canary-secret-new\r\n", "it ends in a carriage return (CR); remove it"},
    {replace("canary-secret-new", "644"), "it is open to every user; chmod it to 0600"},
    {replace(("k"):rep(101)), "it must have at most 100 characters, not 101"},
    {replace(("k"):rep(5000)), "it is larger than 4 KiB"},
    {replace "\255\254k\0", "it is UTF-16"},
  }

  local function said(message, fault)
    survive.no_canary(message)
    local _, times = message:gsub("; its file cannot be read again: ", "")
    assert.equal(1, times, message)
    local wanted = "clientSecret; its file cannot be read again: " .. fault
    assert.is_truthy(message:find(wanted, 1, true), message)
  end

  it("is spoken of by a call", function()
    for _, case in ipairs(faults) do
      run "rm -rf FILE"()
      replace "canary-secret-old"()
      local scenario, events = bank:scenario{{}}, {}
      local secret = auth.secret.file(path)
      case[1]()
      local _, message, problem = auth.authenticate(survive.options{baseUrl = scenario.baseUrl,
        clientSecret = secret, attempts = 3, onEvent = function(event) events[1] = event end})
      assert.equal("denied", problem.code)
      said(message, case[2])
      assert.equal(message, problem.message)
      assert.equal(1, problem.secretFault:find(case[2], 1, true))
      assert.equal(problem.secretFault, events[1].secretFault)
      assert.equal(1, scenario:posts())
    end
  end)

  it("is spoken of by a client, its events and explain, as it is at that moment", function()
    -- The denial is remembered for as long as this test takes.
    local scenario, events = bank:scenario{{headers = {["Retry-After"] = "60"}}, {}}, {}
    local client = auth.client(survive.options{baseUrl = scenario.baseUrl,
      clientSecret = auth.secret.file(path),
      onEvent = function(event) events[#events + 1] = event end})
    run "rm -rf FILE"()
    local _, message, denial = client:token()
    assert.equal(60, denial.retryAfter)
    said(message, "No such file or directory")
    assert.equal("denied", events[1].name)
    assert.equal("No such file or directory", events[1].secretFault)
    said(client:explain().problem, "No such file or directory")
    for _, case in ipairs(faults) do   -- the denial is remembered, the file looked at each time
      run "rm -rf FILE"()
      case[1]()
      local _, again, problem = client:token()
      assert.is_true(problem.remembered)
      said(again, case[2])
      assert.equal(1, problem.secretFault:find(case[2], 1, true))
    end
    run "rm -rf FILE"()
    replace "canary-secret-old"()
    local _, plain, problem = client:token()
    assert.is_nil(plain:find("its file", 1, true), plain)
    assert.is_nil(problem.secretFault)
    assert.equal(1, scenario:posts())
    files.write(path, bank.clientSecret)
    assert(client:token())
    assert.equal(2, scenario:posts())
    client:close()
  end)

  it("is spoken of when it is another user's", function()
    local scenario = bank:scenario{{}}
    local options = survive.options{baseUrl = scenario.plainUrl, caFile = survive.ABSENT,
      clientSecret = auth.secret.file(path)}
    process.chmod(path, 0)
    process.chmod(user.home, 0)
    local before = process.seteuid(NOBODY)   -- root reads whatever there is
    local ok, token, message = pcall(auth.authenticate, options)
    process.seteuid(before)
    process.chmod(user.home, 448)   -- 0700
    assert(ok, token)
    said(message, "Permission denied")
  end)

  it("is spoken of by the command #slow", function()
    local scenario = bank:scenario{{delay = 1}}
    local line = user:line({"token", "--no-store", "--secret-file", path},
      {COREBANK_CLIENT_SECRET = false, COREBANK_BASE_URL = scenario.baseUrl,
        COREBANK_CA_FILE = bank.caFile})
    local pipe = io.popen(line .. " 2>&1; echo status $?")
    sandbox.await("nobody asks the bank", function() return scenario:posts() == 1 end,
      survive.seconds(10))
    run "rm -rf FILE"()   -- before the bank answers
    local shown = pipe:read "*a"
    pipe:close()
    survive.no_canary(shown)
    local wanted = "secret; its file cannot be read again: No such file or directory"
    assert.is_truthy(shown:find(wanted, 1, true), shown)
    assert.is_truthy(shown:find("status 3\n$"), shown)
  end)

  it("is not spoken of where there is none", function()
    local scenario = bank:scenario{{}}
    local _, message, problem = auth.authenticate(survive.options{baseUrl = scenario.baseUrl,
      clientSecret = "canary-secret-old"})
    assert.equal("denied", problem.code)
    assert.is_nil(message:find("its file", 1, true), message)
    assert.is_nil(problem.secretFault)
  end)

  it("has nothing to do with another answer", function()
    local scenario = bank:scenario{{status = 503}}
    local secret = auth.secret.file(path)
    run "rm -rf FILE"()
    local _, message, problem = auth.authenticate(survive.options{baseUrl = scenario.baseUrl,
      clientSecret = secret})
    assert.equal("server", problem.code)
    assert.is_nil(message:find("its file", 1, true), message)
  end)
end)
