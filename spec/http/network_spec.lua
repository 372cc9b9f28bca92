-- FAULTS, "Network": what each kind of broken path must look like to the caller.

local auth = require "corebank.auth"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

-- A raw server that plays one script, as the case's server.
local function against(connections, case)
  local raw = sandbox.raw{connections = connections}
  case.options = case.options or {}
  case.options.baseUrl = case.options.baseUrl or raw.url
  case.count = function() return raw:posts() end
  local result, took = survive.case(case)
  local seen = raw:connections()
  raw:stop()
  return result, took, seen
end

describe("the network #transfer", function()
  it("has no such host: resolve, nothing sent", function()
    local bank = sandbox.bank()
    survive.case{options = {baseUrl = "https://no-such-host.invalid", proxy = ""}, code = "resolve",
      posts = 0, count = function() return bank:posts() end, message = "no%-such%-host%.invalid"}
  end)

  it("refuses the connection: connect, quickly, after all attempts", function()
    local problem, took = survive.case{
      options = {baseUrl = "http://127.0.0.1:" .. sandbox.closedPort(), attempts = 3},
      code = "connect", message = "refused"}
    assert.equal(3, problem.attempts)
    assert.is_true(problem.retryable)
    assert.is_true(took < survive.seconds(2))
  end)

  it("swallows the connection: timeout at the connect timeout", function()
    local hole = sandbox.blackhole()
    local _, took = survive.case{options = {baseUrl = hole.url, connectTimeout = 0.5},
      code = "timeout", within = 0.5}
    assert.is_true(took >= 0.45)
    hole.stop()
  end)

  it("accepts and stays silent: timeout at the timeout", function()
    local _, took = against({{"silence"}},
      {options = {timeout = 0.6}, code = "timeout", posts = 0})
    assert.is_true(took >= 0.55)
  end)

  it("reads the request and stays silent: timeout, one POST", function()
    against({{"read_request", "silence"}},
      {options = {timeout = 0.6, attempts = 3}, code = "timeout", posts = 1})
  end)

  it("resets before reading: network", function()
    against({{{"read", 1}, "reset"}}, {code = "network", posts = 0})
  end)

  it("closes after the whole request, without a byte: network", function()
    against({{"read_request", "close"}}, {code = "network", posts = 1})
  end)

  it("resets after the whole request, without a byte: network", function()
    against({{"read_request", "reset"}}, {code = "network", posts = 1})
  end)

  it("breaks once before an answer: tried again", function()
    local token = against({{"read_request", "reset"}, {"read_request", {"send", sandbox.answer()}}},
      {options = {attempts = 2}, posts = 2})
    assert.equal("canary-token-raw", token.accessToken)
  end)

  it("breaks inside an answer: network, not tried again", function()
    against({{"read_request", {"send", sandbox.answer():sub(1, -10)}, "close"}},
      {options = {attempts = 3}, code = "network", posts = 1})
  end)

  it("delivers one byte a segment: success", function()
    against({{"read_request", {"send", sandbox.answer(), every = 0}}}, {posts = 1})
  end)

  it("crawls at 10 bytes a second: timeout", function()
    against({{"read_request", {"send", sandbox.answer(), every = 0.1}}},
      {options = {timeout = 0.8}, code = "timeout", posts = 1})
  end)

  it("closes an idle kept connection: the next call succeeds with one POST", function()
    local answer = {"read_request", {"send", sandbox.answer()}, {"sleep", 0.05}, "close"}
    local raw = sandbox.raw{connections = {answer}}
    for _ = 1, 3 do
      survive.case{options = {baseUrl = raw.url}, posts = 1,
        count = function() return raw:posts() end}
      socket.sleep(0.2)
    end
    raw:stop()
  end)

  for what, more in pairs{["the answer once more"] = sandbox.answer(),
    ["that it waited for long enough"] = "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"} do
    for _, scheme in ipairs{"http", "https"} do
      local name = ("says %s on an idle kept connection (%s)"):format(what, scheme)
      it(name .. ": not the next call's answer", function()
        local own = sandbox.answer [[{"accessToken":"canary-token-2","tokenValiditySec":3600}]]
        local first = {"read_request", {"send", sandbox.answer()}, {"sleep", 0.05},
          {"send", more}, "silence"}
        local second = {"read_request", {"send", own}}
        if scheme == "https" then
          table.insert(first, 1, "starttls")
          table.insert(second, 1, "starttls")
        end
        local raw = sandbox.raw{connections = {first, second}}
        local function call()
          return survive.case{posts = 1,
            options = {baseUrl = scheme == "https" and raw.httpsUrl or raw.url},
            count = function() return raw:posts() end}.accessToken
        end
        assert.equal("canary-token-raw", call())
        socket.sleep(0.15)
        assert.is_true(call() == "canary-token-2")
        raw:stop()
      end)
    end
  end

  -- Ten seconds of waiting: on one Lua.
  if os.getenv "CBA_BUILD" == "lua5.4" then
    it("is asked on a kept connection only when that was idle for less than 10 seconds", function()
      local kept = {}
      for i = 1, 3 do kept[2 * i - 1], kept[2 * i] = "read_request", {"send", sandbox.answer()} end
      local raw = sandbox.raw{connections = {kept}}
      for i, pause in ipairs{0, 0.1, 10.05} do
        socket.sleep(pause)
        survive.case{options = {baseUrl = raw.url}}
        assert.equal(i < 3 and 1 or 2, raw:connections())
      end
      raw:stop()
    end)
  end

  it("truncates TLS without a goodbye: network, and no half token", function()
    local raw = sandbox.raw{connections = {{"starttls", "read_request",
      {"send", sandbox.answer():sub(1, -20)}, "close"}}}
    survive.case{options = {baseUrl = raw.httpsUrl}, code = "network", posts = 1,
      count = function() return raw:posts() end}
    raw:stop()
  end)

  it("runs out of file descriptors: an ordinary problem, and it recovers", function()
    local bank = sandbox.bank()
    local hoard = {}
    local limit = process.limit_files(40)
    for i = 1, 50 do hoard[i] = io.open("/dev/null") end   -- nil once there are none left
    -- No descriptor is left for a socket or a resolver; the CA file cannot be opened either.
    local token, message, problem = auth.authenticate(survive.options{
      baseUrl = bank.plainUrl:gsub("127%.0%.0%.1", "127.0.0.2"), timeout = survive.seconds(1)})
    for _, file in pairs(hoard) do file:close() end
    process.limit_files(limit)
    assert.is_nil(token)
    survive.no_canary{message, problem}
    assert.is_truthy(problem.code == "connect" or problem.code == "network", message)
    survive.case{}
  end)
end)

describe("a proxy #transfer", function()
  local function through(actions, case)
    local bank = sandbox.bank()
    local raw = sandbox.raw{connections = {actions}}
    case.options = case.options or {}
    case.options.proxy = case.options.proxy or raw.url
    case.options.noProxy = ""
    case.count = function() return bank:posts() end
    local result = survive.case(case)
    local received = raw:received(1)
    raw:stop()
    return result, received
  end

  it("opens the tunnel: success, and sees no secret", function()
    local _, received = through({"tunnel"}, {})
    assert.is_truthy(received:find("^CONNECT localhost:%d+ HTTP/1%.1"))
    survive.no_canary(received)
  end)

  it("wants credentials (407): proxy, no secret in the CONNECT", function()
    local problem, received = through({"read_request",
      {"send", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"}},
      {code = "proxy", posts = 0})
    survive.no_canary(received)
    assert.is_truthy(problem.message:find("(status 407); it wants credentials of its own", 1, true))
  end)

  it("does not see the caller's own headers", function()
    local _, received = through({"tunnel"}, {options = {headers = {["X-Gateway-Key"] = "key-1"}}})
    assert.is_nil(received:find("key%-1"))
  end)

  it("refuses to connect there: proxy, not tried again", function()
    local problem = through({"read_request",
      {"send", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"}},
      {code = "proxy", posts = 0, options = {attempts = 3}})
    assert.equal(1, problem.attempts)
    assert.is_false(problem.retryable)
  end)

  it("hangs up on CONNECT: proxy", function()
    through({"read_request", "close"}, {code = "proxy", posts = 0})
  end)

  it("is not there: proxy", function()
    through({"close"}, {options = {proxy = "http://127.0.0.1:" .. sandbox.closedPort()},
      code = "proxy", posts = 0})
  end)

  it("that the host is exempt from is not what cannot be reached", function()
    local closed = {proxy = "http://127.0.0.1:" .. sandbox.closedPort(), attempts = 1,
      baseUrl = "https://localhost:" .. sandbox.closedPort()}
    local function code_of(no_proxy)
      closed.noProxy = no_proxy
      return select(3, auth.authenticate(survive.options(closed))).code
    end
    for _, list in ipairs{"", "elsewhere", "host2 , 10.0.0.0/8", "xlocalhost"} do
      assert.equal("proxy", code_of(list), list)
    end
    for _, list in ipairs{"localhost", "elsewhere,LocalHost", ".localhost", "localhost.", "*"} do
      assert.equal("connect", code_of(list), list)
    end
    assert.equal("proxy", code_of(nil))
    process.setenv("no_proxy", "localhost")
    local by_environment, overruled = code_of(nil), code_of ""
    process.setenv("no_proxy", nil)
    assert.equal("connect", by_environment)
    assert.equal("proxy", overruled)
  end)

  it("hangs: timeout", function()
    through({"silence"}, {options = {timeout = 0.6}, code = "timeout", posts = 0})
  end)

  it("in the environment is ignored when proxy is the empty string", function()
    process.setenv("https_proxy", "http://127.0.0.1:" .. sandbox.closedPort())
    local direct, message = auth.authenticate(survive.options{proxy = ""})
    local through_it, _, problem = auth.authenticate(survive.options())
    process.setenv("https_proxy", nil)
    assert(direct, message)
    assert.is_nil(through_it)   -- the environment's proxy is used otherwise, and is not there
    assert.is_truthy(problem.code == "proxy" or problem.code == "connect")
  end)

  it("of a broken address in the environment is not quoted with its password", function()
    for _, broken in ipairs{"http://user:canary-passphrase@[::1",
      "ftp://user:canary-passphrase@127.0.0.1:9", "socks9://user:canary-passphrase@127.0.0.1"} do
      process.setenv("https_proxy", broken)
      local token, message, problem = auth.authenticate(survive.options())
      process.setenv("https_proxy", nil)
      assert.is_nil(token)
      survive.no_canary{message, problem}
    end
  end)

  it("of SOCKS is not offered Kerberos, which would have us wait for a third party", function()
    local raw = sandbox.raw{connections = {{{"read", 3}, "close"}}}
    auth.authenticate(survive.options{proxy = raw.url:gsub("^http", "socks5"), attempts = 1,
      noProxy = ""})
    local version, count, methods = raw:received(1):match "^(.)(.)(.*)$"   -- RFC 1928, section 3
    raw:stop()
    assert.equal(5, version:byte())
    assert.equal(count:byte(), #methods)
    assert.is_nil(methods:find("\1", 1, true))
  end)

  it("in the environment never sees a plaintext loopback request", function()
    process.setenv("http_proxy", "http://127.0.0.1:" .. sandbox.closedPort())
    local ok, why = pcall(survive.case, {options = {baseUrl = sandbox.bank().plainUrl}})
    process.setenv("http_proxy", nil)
    assert.is_true(ok, why)
  end)
end)
