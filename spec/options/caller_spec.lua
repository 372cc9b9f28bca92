-- FAULTS, "Caller": mistakes raise at the caller's line, name the option, and send nothing.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

-- Calls with a mistake in it; returns the error, having checked that it blames this file.
local function raised(changes)
  local posts = bank:posts()
  local ok, message = pcall(function()
    local token = auth.authenticate(survive.options(changes))
    return token
  end)
  assert.is_false(ok)
  assert.is_truthy(message:find("caller_spec.lua:%d+: authenticate: "), message)
  assert.equal(posts, bank:posts())
  survive.no_canary(message)
  return message
end

local function raises(changes, pattern)
  local message = raised(changes)
  assert.is_truthy(message:find(pattern), message)
end

describe("a call that succeeds", function()
  it("returns the token alone, fit for table.insert", function()
    local tokens = {}
    table.insert(tokens, auth.authenticate(survive.options{}))
    assert.equal("Bearer", tokens[1].tokenType)
  end)
end)

describe("credentials", function()
  for _, name in ipairs{"clientId", "clientSecret"} do
    it(name .. " missing, empty, of another type, over-long or not UTF-8: raises", function()
      raises({[name] = survive.ABSENT}, name .. " is missing; give it or set COREBANK_CLIENT_")
      raises({[name] = ""}, name .. " must not be empty")
      for _, value in ipairs{17, true, {}, print, io.stdout} do
        raises({[name] = value}, name .. " must be")
      end
      raises({[name] = ("k"):rep(101)}, name .. " must have at most 100 characters, not 101")
      raises({[name] = ("\240\159\148\145"):rep(101)}, name .. " must have at most 100")
      raises({[name] = "a\255"}, name .. " must be valid UTF%-8")
      raises({[name] = "a\0b"}, name .. " must not contain a NUL")
    end)

    it(name .. " of 100 four-byte characters is accepted", function()
      local scenario = bank:scenario{{accept = "any"}}
      survive.case{options = {baseUrl = scenario.baseUrl, [name] = ("\240\159\148\145"):rep(100)}}
    end)
  end

  it("an over-long secret is not shown", function()
    raises({clientSecret = ("canary-secret"):rep(10)}, "clientSecret must have at most")
  end)

  it("a closed secret is a mistake", function()
    local secret = core.secret("canary-secret-closed")
    secret:close()
    raises({clientSecret = secret}, "clientSecret must be a string or an open secret")
  end)

  it("come from the environment when they are not given", function()
    process.setenv("COREBANK_BASE_URL", bank.url)
    process.setenv("COREBANK_CLIENT_ID", bank.clientId)
    process.setenv("COREBANK_CLIENT_SECRET", bank.clientSecret)
    local token, message = auth.authenticate{caFile = bank.caFile}
    process.setenv("COREBANK_CLIENT_ID", "")
    local ok, empty = pcall(auth.authenticate, {caFile = bank.caFile})
    process.setenv("COREBANK_CLIENT_ID", ("x"):rep(101))
    local _, long = pcall(auth.authenticate, {caFile = bank.caFile})
    process.setenv("COREBANK_CLIENT_ID", bank.clientId)
    process.setenv("COREBANK_CLIENT_SECRET", ("x"):rep(401))
    local _, huge = pcall(auth.authenticate, {caFile = bank.caFile})
    local faults = {}
    for i, url in ipairs{"ftp://bank.example", "http://bank.example"} do
      process.setenv("COREBANK_BASE_URL", url)
      faults[i] = select(2, pcall(auth.authenticate, {caFile = bank.caFile, clientSecret = "s"}))
    end
    for _, name in ipairs{"BASE_URL", "CLIENT_ID", "CLIENT_SECRET"} do
      process.setenv("COREBANK_" .. name, nil)
    end
    assert(token, message)
    assert.is_false(ok)
    assert.is_truthy(empty:find("clientId is missing", 1, true))
    assert.is_truthy(long:find("clientId (from COREBANK_CLIENT_ID) must have", 1, true))
    for _, fault in ipairs(faults) do
      assert.is_truthy(fault:find("baseUrl (from COREBANK_BASE_URL) must begin", 1, true))
    end
    assert.is_truthy(huge:find("clientSecret (from COREBANK_CLIENT_SECRET) is longer", 1, true))
  end)
end)

describe("an unknown option", function()
  it("raises and names the nearest known one", function()
    raises({clientID = "x"}, "unknown option 'clientID'; did you mean 'clientId'%?")
    raises({client_secret = "x"}, "did you mean 'clientSecret'%?")
    raises({timeOut = 1}, "did you mean 'timeout'%?")
    raises({retries = 1}, "did you mean 'attempts'%?")
    raises({url = "x"}, "did you mean 'baseUrl'%?")
    raises({[1] = "x"}, "options must be named")
    raises({["a\nb" .. ("x"):rep(1000)] = 1}, "unknown option 'a%?bx+'; docs/options.md lists")
  end)

  it("that would switch verification off is told that nothing does", function()
    for _, name in ipairs{"verfy", "verify", "ssl_verify", "insecure"} do
      raises({[name] = false}, "'" .. name .. "'; verification cannot be switched off, but caFile")
    end
  end)
end)

describe("baseUrl", function()
  it("must be https, or http on this machine", function()
    for _, url in ipairs{"http://bank.example", "http://127.0.0.1.bank.example",
      "http://localhost.bank.example", "http://[::2]", "http://0.0.0.0", "ftp://bank.example",
      "file:///etc/passwd", "bank.example", "http://localhost@bank.example"} do
      raises({baseUrl = url}, "baseUrl must")
    end
  end)

  it("may be plain http elsewhere with allowPlaintext", function()
    -- 127.0.0.1 under a name that is no loopback name: the system's own host name will do.
    local plain = bank.plainUrl:gsub("127%.0%.0%.1", "0.0.0.0")
    raises({baseUrl = plain}, "allowPlaintext")
    survive.case{options = {baseUrl = plain, allowPlaintext = true}}
    survive.case{options = {baseUrl = bank.plainUrl}}
    survive.case{options = {baseUrl = bank.plainUrl:gsub("127%.0%.0%.1", "localhost")}}
  end)

  it("with plain http goes through no proxy unless allowPlaintext", function()
    raises({baseUrl = bank.plainUrl, proxy = "http://127.0.0.1:1"}, "proxy.*allowPlaintext")
  end)

  it("must carry no user, query or fragment, and no rubbish", function()
    raises({baseUrl = "https://user@bank.example"}, "a user name")
    raises({baseUrl = "https://user:canary-secret@bank.example"}, "a user name")
    raises({baseUrl = "https://bank.example/?a=b"}, "a query or a fragment")
    raises({baseUrl = "https://bank.example/#top"}, "a query or a fragment")
    raises({baseUrl = "https://"}, "baseUrl must")
    raises({baseUrl = "https://[fe80::1%25eth0]"}, "baseUrl must")
    raises({baseUrl = "https://bank.example/a b"}, "baseUrl must")
    raises({baseUrl = "https://bank.example\r\nX: 1"}, "baseUrl must")
    raises({baseUrl = 7}, "baseUrl must be a string, not number")
  end)
end)

describe("the other options", function()
  local bad = {
    path = {"", "no-slash", "/a b", "/a?b", "/a#b", "/a\nb", 1},
    timeout = {0, -1, "10", 0 / 0, math.huge, 601},
    connectTimeout = {0, -1, "3", 0 / 0},
    attempts = {0, 1.5, 11, "3"},
    caFile = {1, "", ("x"):rep(4097)}, caPath = {1, ""}, clientCert = {1, ""}, clientKey = {1, ""},
    clientKeyPassword = {1, ""},
    pinnedKey = {"", "sha256//short=", "md5//" .. ("A"):rep(43) .. "=", 1,
      "sha256//" .. ("A"):rep(43) .. "=;"},
    minTls = {"1.1", 1.2, "1.4"},
    proxy = {1, "a\0b", "http://user:canary-passphrase@[::1", "gopher://proxy.example", "http://"},
    noProxy = {1},
    allowPlaintext = {"yes", 1},
    headers = {1, {"X: 1"}, {["X Y"] = "1"}, {[""] = "1"}, {X = 1}, {X = "a\r\nB: c"}, {X = "a\0"},
      {Host = "x"}, {["content-length"] = "1"}, {["Content-Type"] = "x"},
      {["Transfer-Encoding"] = "x"}, {Expect = "x"}, {["X-A"] = "1", ["x-a"] = "2"}},
    onEvent = {1, "f"},
  }
  for name, values in pairs(bad) do
    it("raise and name themselves: " .. name, function()
      for _, value in ipairs(values) do raises({[name] = value}, name .. " ") end
    end)
  end

  it("need each other: a key or passphrase needs the certificate", function()
    raises({clientKey = "x"}, "clientKey needs clientCert")
    raises({clientKeyPassword = "canary-passphrase"}, "clientKeyPassword needs clientCert")
  end)

  it("must come in a table", function()
    for _, given in ipairs{false, 1, "x"} do
      local ok, message = pcall(function() return (auth.authenticate(given)) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("caller_spec.lua:%d+: authenticate: a table of options"))
    end
  end)

  it("are copied: a later change to the caller's table changes nothing", function()
    local options = survive.options()
    options.onEvent = function() options.clientId = nil end
    assert(auth.authenticate(options))
  end)

  it("are looked at anew at every call, also when the table is the same", function()
    local options = survive.options()
    for _ = 1, 4 do assert(auth.authenticate(options)) end
    options.clientSecret = "canary-secret-changed"
    local token, _, problem = auth.authenticate(options)
    assert.is_nil(token)
    assert.equal("denied", problem.code)
    options.clientSecret = bank.clientSecret
    options.baseUrl = "http://127.0.0.1:" .. sandbox.closedPort()
    assert.equal("connect", select(3, auth.authenticate(options)).code)
    options.baseUrl = bank.url
    assert(auth.authenticate(options))
    options.verfy = false
    assert.is_false((pcall(auth.authenticate, options)))
    options.verfy = nil
    assert(auth.authenticate(options))
    setmetatable(options, {__index = {minTls = "1.1"}})
    assert.is_false((pcall(auth.authenticate, options)))
    setmetatable(options, nil)
    options.clientId = nil
    assert.is_false((pcall(auth.authenticate, options)))
  end)

  it("may come through a metatable", function()
    local defaults = survive.options()
    local options = setmetatable({}, {__index = defaults})
    for _ = 1, 3 do assert(auth.authenticate(options)) end
    defaults.clientSecret = "canary-secret-changed"
    assert.equal("denied", select(3, auth.authenticate(options)).code)
  end)

  it("are named when they are no table, after any number of calls", function()
    for _ = 1, 3 do
      for _, value in pairs{1, "x", true, function() end} do
        local ok, message = pcall(auth.authenticate, value)
        assert.is_false(ok)
        assert.is_truthy(message:find("authenticate: a table of options is needed, not "
          .. type(value), 1, true), message)
      end
      assert.is_false((pcall(auth.authenticate)))
      auth.authenticate(survive.options())
    end
  end)

  it("leave no secret behind after a call, however it ends", function()
    local made = {}
    local secret = core.secret
    core.secret = function(...)
      local value, reason = secret(...)
      made[#made + 1] = value
      return value, reason
    end
    assert(auth.authenticate(survive.options()))
    pcall(auth.authenticate, survive.options{onEvent = function() error("mine") end})
    pcall(auth.authenticate, survive.options{clientSecret = "canary-secret", timeout = "no"})
    core.secret = secret
    assert.is_true(#made == 2)
    for _, value in ipairs(made) do assert.is_false(core.is_secret(value)) end
  end)

  it("go with the caller's table", function()
    local seen = setmetatable({}, {__mode = "k"})
    for _ = 1, 3 do
      local options = survive.options()
      for _ = 1, 3 do assert(auth.authenticate(options)) end
      seen[options] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("an onEvent that raises is the caller's own error", function()
    local ok, message = pcall(auth.authenticate, survive.options{
      onEvent = function() error("mine", 0) end})
    assert.is_false(ok)
    assert.equal("mine", message)
  end)
end)

describe("nothing shows a secret", function()
  it("not tostring, print or pairs of any object", function()
    local secret = core.secret("canary-secret-object")
    assert.equal("secret(…)", tostring(secret))
    assert.is_false(getmetatable(secret))
    local token = assert(auth.authenticate(survive.options()))
    survive.no_canary{secret, token, auth, core}
    assert.is_truthy(tostring(token):find("^Bearer token, %d+ s left$"))
    local _, message, problem = auth.authenticate(
      survive.options{clientSecret = "canary-secret-no"})
    survive.no_canary{message, problem, problem:body()}
  end)

  it("not auth.version()", function()
    local line = auth.version()
    for _, name in ipairs{"corebank-auth " .. auth.VERSION, "libcurl/", "cJSON ", "libsodium "} do
      assert.is_truthy(line:find(name, 1, true), line)
    end
  end)
end)
