-- Proxies: one that speaks TLS with an authority of its own, who needs none, and who is blamed.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local core = require "corebank.auth.core"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local user = command.user(setup, teardown)

-- Certificates of the bank's key by the other authority, right and wrong.
local function certificate(name) return bank.dir .. "/" .. name .. ".pem" end

-- One call by way of a proxy that plays a script.
local function through(script, case)
  local raw = sandbox.raw(script)
  local options = {proxy = raw.httpsUrl, noProxy = ""}
  for name, value in pairs(case.options or {}) do options[name] = value end
  case.options = options
  case.count = function() return bank:posts() end
  local result = survive.case(case)
  local received = raw:received(1) or ""
  raw:stop()
  return result, received, raw
end

local OPENS = {{"starttls", "tunnel"}}

-- libcurl 7.88 with GnuTLS may not see that an answer has arrived that came in TLS inside TLS.
local function is_stuck()
  local is_gnutls = os.getenv("CBA_BUILD"):find "gnutls"
  if is_gnutls then pending "libcurl with GnuTLS may wait in TLS inside TLS for what is there" end
  return is_gnutls
end

describe("S22: an https proxy with an authority of its own #tls", function()
  local own = certificate "untrusted"   -- by the other authority, for localhost

  it("is trusted by proxyCaFile, and sees no secret", function()
    if is_stuck() then return end
    local _, received = through({connections = OPENS, certificate = own},
      {posts = 1, options = {proxyCaFile = bank.files.otherCa}})
    assert.is_truthy(received:find "^CONNECT localhost:%d+ HTTP/1%.1\r\n")
    survive.no_canary(received)
  end)

  it("is what the message is about when it is not trusted, nothing sent", function()
    for _, file in ipairs{survive.ABSENT, bank.caFile} do
      local problem, _, raw = through({connections = OPENS, certificate = own},
        {code = "tls", posts = 0, message = "^the proxy https://localhost:%d+ is not trusted; "
          .. "check proxyCaFile ", options = {proxyCaFile = file, attempts = 3}})
      assert.equal(1, problem.attempts)
      assert.is_false(problem.retryable)
      assert.is_nil(problem.message:find(bank.url, 1, true))
      assert.is_truthy(problem.message:find(raw.httpsUrl, 1, true))
    end
  end)

  it("is not trusted for being expired, or for another host", function()
    for _, fault in ipairs{"expired", "notyet", "wronghost", "selfsigned"} do
      through({connections = OPENS, certificate = certificate(fault)}, {code = "tls", posts = 0,
        message = "^the proxy https://localhost:%d+ is not trusted; check proxyCaFile",
        options = {proxyCaFile = bank.caFile}})
    end
  end)

  it("does not make the bank trusted, nor does the bank's authority it", function()
    through({connections = OPENS, certificate = own}, {code = "tls", posts = 0,
      message = "https://localhost:%d+.*; check caFile",   -- OpenSSL tells no more
      options = {proxyCaFile = bank.files.otherCa, caFile = bank.files.otherCa}})
    through({connections = OPENS, certificate = own}, {code = "tls", posts = 0,
      message = "^the proxy .* proxyCaFile", options = {caFile = bank.files.otherCa}})
  end)

  it("is not held to the bank's pins, and the bank is", function()
    if is_stuck() then return end
    local script = {connections = OPENS, certificate = own}
    through(script, {posts = 1,
      options = {proxyCaFile = bank.files.otherCa, pinnedKey = bank.pin, minTls = "1.3"}})
    through(script, {code = "tls", posts = 0, message = "pinnedKey",
      options = {proxyCaFile = bank.files.otherCa, pinnedKey = bank.wrongPin}})
  end)

  it("says that it is proxyCaFile that cannot be used", function()
    -- GnuTLS takes a file without certificates, and trusts nobody.
    local message = os.getenv("CBA_BUILD"):find "gnutls" and "the proxy https://.*proxyCaFile"
      or "^proxyCaFile cannot be used for the proxy https://localhost:%d+;"
    for _, path in ipairs{"/no/such/ca.pem", bank.files.garbageCa, bank.files.emptyCa} do
      through({connections = OPENS, certificate = own}, {code = "tls", posts = 0,
        message = path:find "^/no" and "^proxyCaFile cannot be used for the proxy" or message,
        options = {proxyCaFile = path}})
    end
  end)

  it("may come from the environment, which the message names", function()
    if is_stuck() then return end
    local raw = sandbox.raw{connections = OPENS, certificate = own}
    process.setenv("https_proxy", raw.httpsUrl:gsub("//", "//user:canary-passphrase@"))
    local token, message = auth.authenticate(survive.options{proxyCaFile = bank.files.otherCa})
    local none, fault = auth.authenticate(survive.options())
    process.setenv("https_proxy", nil)
    raw:stop()
    assert(token, message)
    assert.is_nil(none)
    assert.is_truthy(fault:find("^the proxy https://…@localhost:%d+ %(from https_proxy%) is not"),
      fault)
    survive.no_canary(fault)
  end)

  it("is of no consequence without such a proxy", function()
    survive.case{options = {proxyCaFile = "/no/such/ca.pem"}}
    through({connections = {{"tunnel"}}}, {posts = 1,
      options = {proxy = survive.ABSENT, proxyCaFile = "/no/such/ca.pem"}})
  end)

  it("that hangs up, or does not speak TLS: the proxy's fault", function()
    through({connections = {{{"read", 5}, "close"}}}, {code = "proxy", posts = 0})
    through({connections = {{"starttls", "read_request", "close"}}}, {code = "proxy", posts = 0,
      options = {proxyCaFile = bank.caFile}})
    through({connections = {{{"read", 5}, {"send", "HTTP/1.0 400 Bad Request\r\n\r\n"}}}},
      {code = {"tls", "proxy"}, posts = 0, message = "the proxy https://"})
  end)

  it("is --proxy-ca-file in the command, and in what the doctor says", function()
    if is_stuck() then return end
    local raw = sandbox.raw{connections = OPENS, certificate = own}
    local words = {"--proxy", raw.httpsUrl, "--no-proxy", "", "--ca-file", bank.caFile,
      "--connect-timeout", tostring(survive.seconds(3)), "--timeout",
      tostring(survive.seconds(10))}
    local function run(name, more)
      local line = {name}
      for _, word in ipairs(words) do line[#line + 1] = word end
      for _, word in ipairs(more) do line[#line + 1] = word end
      return user:run(line)
    end
    local good = run("token", {"--no-store", "--proxy-ca-file", bank.files.otherCa})
    local bad = run("token", {"--no-store"})
    local doctor = run("doctor", {"--no-store"})
    raw:stop()
    assert.equal(0, good.status, good.err)
    assert.equal(5, bad.status)
    assert.is_truthy(bad.err:find("check --proxy-ca-file", 1, true), bad.err)
    assert.equal(5, doctor.status)
    assert.is_truthy(doctor.out:find "failed +connect +the proxy https://", doctor.out)
  end)
end)

-- Whether a request to `url` goes through the proxy, with this list.
local function goes_through(list, url)
  local settings = {connectTimeout = 1, proxy = "http://proxy.test:3128", noProxy = list}
  return core.proxy(core.endpoint(settings), url) ~= nil
end

describe("S23: a list of hosts that need no proxy", function()
  local URL = "https://api.bank.test/x"

  it("holds a domain, however that is written", function()
    for _, list in ipairs{"bank.test", ".bank.test", "*.bank.test", "*.BANK.test", "bank.test.",
      "*.bank.test.", "a, *.bank.test", "a\t*.bank.test", ",,*.bank.test ,", "a *.bank.test b",
      "*bank.test", "api.*", "*.bank.*", "a*.bank.test", "*", "x,*", "*.bank.test:443",
      "bank.test:443", "api.bank.test:443", "*.test", "test"} do
      assert.is_false(goes_through(list, URL), list)
    end
    assert.is_false(goes_through("*.bank.test", "https://bank.test"))
    assert.is_false(goes_through("*.bank.test", "https://API.BANK.TEST."))
    assert.is_false(goes_through("*.bank.test", "https://a.b.bank.test:8443"))
  end)

  it("does not hold what is only alike", function()
    for _, list in ipairs{"", ",", "*.x", "ank.test", "*.pi.bank.test", "bank.tes", "bank.test:80",
      "*.bank.test:8443", "api.bank.test.x", "xapi.bank.test", ".", "bank?test", "ap.bank.*",
      "10.0.0.0/8", "[::1]", "0.0.0.0/0", "bank.test/8", ":443", "**.x", ("x"):rep(300)} do
      assert.is_true(goes_through(list, URL), list)
    end
    assert.is_true(goes_through("*.bank.test", "https://mybank.test"))
    assert.is_true(goes_through("bank.test:44", "https://bank.test:443"))
  end)

  it("holds addresses and their networks", function()
    local held = {["127.0.0.1"] = {"127.0.0.1", "127.0.0.0/8", "127.0.0.1/32", "127.*", "0.0.0.0/0",
      "127.0.0.1:443", "*", "x,127.0.0.1", "127.0.0.2/30"},
      ["[2001:db8::1]"] = {"2001:db8::1", "[2001:DB8::1]", "2001:db8:0:0::1", "2001:db8::/32",
      "[2001:db8::]/32", "[2001:db8::1]:443", "::/0", "*"}}
    for host, lists in pairs(held) do
      for _, list in ipairs(lists) do
        assert.is_false(goes_through(list, "https://" .. host), host .. " in " .. list)
      end
    end
    local not_held = {["127.0.0.1"] = {"0.1", ".0.0.1", "*.1.1", "127.0.0.0/33", "127.0.0.2/31",
      "128.0.0.0/1", "127.0.0.1:80", "127.0.0.0/", "127.0.0.0/x", "::/0", "1", "localhost"},
      ["[2001:db8::1]"] = {"2001:db8::2", "2001:db9::/32", "[2001:db8::1]:80", "::/129",
      "0.0.0.0/0", "2001"}}
    for host, lists in pairs(not_held) do
      for _, list in ipairs(lists) do
        assert.is_true(goes_through(list, "https://" .. host), host .. " in " .. list)
      end
    end
  end)

  it("is refused as an option when it holds URLs", function()
    local ok, mistake = pcall(auth.authenticate, survive.options{noProxy = "https://bank.test"})
    assert.is_false(ok)
    assert.is_truthy(mistake:find("noProxy must hold host names", 1, true), mistake)
  end)

  it("is read alike from the environment", function()
    local settings = {connectTimeout = 1}
    local function chosen(url) return {core.proxy(core.endpoint(settings), url)} end
    local before = {}
    local function set(name, value)
      before[name] = before[name] or {os.getenv(name)}
      process.setenv(name, value)
    end
    for _, name in ipairs{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy",
      "HTTP_PROXY", "no_proxy", "NO_PROXY"} do set(name, nil) end
    local ok, why = pcall(function()
      assert.same({}, chosen(URL))
      set("ALL_PROXY", "socks5://all.test")
      assert.same({"socks5://all.test", "ALL_PROXY"}, chosen(URL))
      set("HTTPS_PROXY", "upper.test:1")
      assert.same({"upper.test:1", "HTTPS_PROXY"}, chosen(URL))
      set("https_proxy", "")   -- an empty variable is as none
      assert.same({"upper.test:1", "HTTPS_PROXY"}, chosen(URL))
      set("https_proxy", "http://lower.test")
      assert.same({"http://lower.test", "https_proxy"}, chosen(URL))
      set("HTTP_PROXY", "http://of-a-header.test")
      assert.same({"socks5://all.test", "ALL_PROXY"}, chosen "http://api.bank.test")
      set("NO_PROXY", "*.bank.test")
      assert.same({}, chosen(URL))
      set("no_proxy", "elsewhere")
      assert.same({"http://lower.test", "https_proxy"}, chosen(URL))
      set("no_proxy", "")
      assert.same({}, chosen(URL))
      settings.noProxy = ""
      assert.same({"http://lower.test", "https_proxy"}, chosen(URL))
      settings.proxy = ""
      assert.same({}, chosen(URL))
    end)
    for name, value in pairs(before) do process.setenv(name, value[1]) end
    assert(ok, why)
  end)
end)

describe("S23: a dead proxy #transfer #slow", function()
  local DEAD = "http://127.0.0.1:" .. sandbox.closedPort()

  it("is blamed beside any list that does not hold the host", function()
    for _, list in ipairs{"", "elsewhere", "*.bank.test", "10.0.0.0/8", "127.0.0.1", "local",
      "localhost:1", "*.localhost.x", "::1"} do
      for _, scheme in ipairs{"http", "https", "socks5", "socks5h", "socks4"} do
        survive.case{options = {proxy = DEAD:gsub("^http", scheme), noProxy = list}, code = "proxy",
          message = "^the proxy " .. scheme .. "://127.0.0.1:%d+ does not lead to https://local"}
      end
    end
  end)

  it("is not used, nor blamed, where the list holds the host", function()
    for _, list in ipairs{"*.localhost", "*", "localhost", "LOCALHOST.", "x *.localhost"} do
      survive.case{options = {proxy = DEAD, noProxy = list}}
      survive.case{options = {proxy = DEAD, noProxy = list,
        baseUrl = "https://localhost:" .. sandbox.closedPort()}, code = "connect",
        message = "^cannot connect to https://localhost"}
    end
  end)

  it("of the environment is blamed by its variable, in the doctor, too", function()
    local environment = {HTTPS_PROXY = DEAD, NO_PROXY = "*.bank.test,10.0.0.0/8"}
    local token = user:run({"token", "--no-store"}, environment)
    local doctor = user:run({"doctor", "--no-store"}, environment)
    assert.equal(4, token.status)
    assert.is_truthy(token.err:find("the proxy " .. DEAD .. " (from HTTPS_PROXY)", 1, true),
      token.err)
    assert.equal(4, doctor.status)
    assert.is_truthy(doctor.out:find("failed +connect +the proxy .*from HTTPS_PROXY"), doctor.out)
    environment.NO_PROXY = "*.localhost"
    token = user:run(command.trusting{"token", "--no-store"}, environment)
    assert.equal(0, token.status, token.err)
  end)

  it("that has no address is blamed", function()
    survive.case{options = {proxy = "http://no-such-proxy.invalid", noProxy = "x"}, code = "proxy",
      message = "^the proxy http://no%-such%-proxy.invalid does not"}
  end)

  it("that opens no tunnel in time is named, and what would help", function()
    local hole = sandbox.blackhole()
    survive.case{options = {proxy = hole.url, noProxy = "x", connectTimeout = 0.3},
      code = "timeout", message = "^cannot connect to the proxy http://127.0.0.1:%d+ in time; "
      .. "raise connectTimeout %(0.3 s%)"}
    hole.stop()
    for _, scheme in ipairs{"http", "socks5"} do
      local raw = sandbox.raw{connections = {{"silence"}}}
      survive.case{options = {proxy = raw.url:gsub("^http", scheme), noProxy = "x",
        connectTimeout = 0.3}, code = "timeout", message = (survive.isLibcurl8
          and "^cannot connect to" or "^no connection to https://localhost:%d+ through")
        .. " the proxy " .. scheme .. "://127.0.0.1:%d+ in time; raise connectTimeout"}
      raw:stop()
    end
  end)
end)
