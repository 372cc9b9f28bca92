-- FAULTS, "HTTP": what each kind of answer must look like to the caller.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

-- The bank plays these steps; the case is about them.
local function answered(steps, case)
  local scenario = bank:scenario(steps)
  case.options = case.options or {}
  case.options.baseUrl = case.options.baseUrl or scenario.baseUrl
  case.count = function() return scenario:posts() end
  local result, took = survive.case(case)
  return result, scenario, took
end

local function raw_answered(actions, case)
  local raw = sandbox.raw{connections = {actions}}
  case.options = case.options or {}
  case.options.baseUrl = raw.url
  case.count = function() return raw:posts() end
  local result, took = survive.case(case)
  raw:stop()
  return result, took
end

local function gzip(text)
  local pipe = io.popen("printf %s " .. files.quoted(text) .. " | gzip -c")
  local packed = pipe:read "*a"
  pipe:close()
  return packed
end

describe("a redirect #transfer", function()
  for _, status in ipairs{307, 308} do
    it(("(%d) to another origin: redirect, nothing sent there"):format(status), function()
      local other = bank:scenario{}
      local problem = answered(
        {{status = status, redirect = other:on("tls12") .. "/api/auth/v1/authenticate"}},
        {code = "redirect", posts = 1, options = {attempts = 3}})
      assert.equal(0, #other:requests())
      assert.equal(status, problem.status)
      assert.is_truthy(problem.message:find(bank.urls.tls12, 1, true))
    end)

    it(("(%d) to plaintext: redirect, nothing sent there"):format(status), function()
      local other = bank:scenario{}
      answered({{status = status, redirect = other.plainUrl .. "/api/auth/v1/authenticate"}},
        {code = "redirect", posts = 1})
      assert.equal(0, #other:requests())
    end)

    it(("(%d) to a file: redirect"):format(status), function()
      answered({{status = status, redirect = "file:///etc/passwd"}},
        {code = "redirect", posts = 1, message = "file://"})
    end)
  end

  it("with user information on the same origin: redirect", function()
    local target = bank.url:gsub("//", "//user:password@") .. "/api/auth/v1/authenticate"
    local problem = answered({{redirect = target}}, {code = "redirect", posts = 1})
    assert.is_nil(problem.message:find("password"))
  end)

  it("to a host that spells the secret: redirect, and the message does not spell it", function()
    answered({{redirect = "https://" .. bank.clientSecret:gsub("_", "-") .. ".example/"}},
      {code = "redirect", posts = 1})
  end)

  it("without a Location, or with an endless one: redirect", function()
    answered({{status = 302, body = ""}}, {code = "redirect", posts = 1})
    answered({{redirect = "/" .. ("x"):rep(3000)}}, {code = "redirect", posts = 1})
  end)

  for _, status in ipairs{301, 302, 307, 308} do
    it(("(%d) on the same origin: followed, POST and body kept"):format(status), function()
      local _, scenario = answered(
        {{status = status, redirect = "/s/NAME/moved/authenticate?step=2"}, {}}, {posts = 2})
      local requests = scenario:requests()
      local first, second = requests[1], requests[2]
      assert.equal("POST", second.method)
      assert.equal(first.body, second.body)
      assert.is_truthy(second.uri:find("/moved/authenticate?step=2", 1, true))
    end)
  end

  it("303 is not followed: the bank does not speak it", function()
    answered({{status = 303, redirect = "/s/NAME/moved"}}, {code = "status", posts = 1})
  end)

  it("is followed 3 times at most", function()
    local hop = {redirect = "/s/NAME/moved/authenticate"}
    answered({hop, hop, hop, {}}, {posts = 4})
    answered({hop}, {code = "redirect", posts = 4, options = {attempts = 3}})
  end)
end)

describe("a refusal #transfer", function()
  local bodies = {JSON = '{"errorCode":"E-7"}', HTML = "<html>no</html>", empty = ""}
  for _, status in ipairs{400, 401, 403} do
    for kind, body in pairs(bodies) do
      it(("%d with %s: denied, 1 POST, body in no message"):format(status, kind), function()
        local problem = answered({{status = status, body = body}},
          {code = "denied", posts = 1, options = {attempts = 3}})
        assert.equal(status, problem.status)
        assert.is_false(problem.retryable)
        assert.equal(body, problem:body())
        assert.is_true(body == "" or not problem.message:find(body, 1, true))
      end)
    end
  end

  it("of a wrong secret, by the bank itself: denied", function()
    local problem = answered({}, {code = "denied", posts = 1,
      options = {clientSecret = "wrong-secret"}})
    assert.is_truthy(problem:body():find("AUTH-0401", 1, true))
  end)

  it("that echoes the credentials: body() blanks them and anything like a token", function()
    local secret, id = 'canary-secret-"q\\', "client-1"
    local echo = ('{"id":"%s","raw":"%s","json":"canary-secret-\\"q\\\\","refresh_token": "abc"}')
      :format(id, secret)
    local problem = answered({{status = 401, body = echo}},
      {code = "denied", posts = 1, options = {clientId = id, clientSecret = secret}})
    local body = problem:body()
    survive.no_canary(body)
    assert.is_nil(body:find("client-1", 1, true) or body:find("abc", 1, true))
    assert.equal(#echo, #body)
  end)

  it("that wraps another server's JSON in a string: body() blanks its tokens too", function()
    local body = [[{"status":500,"body":"{\"code\":\"E-7\",\"accessToken\":\"abc\"}"}]]
    local problem = answered({{status = 403, body = body}}, {code = "denied", posts = 1})
    assert.equal(body:gsub("Token.*", 'Token\\":' .. ("*"):rep(10)), problem:body())
  end)

  it("with a long body: body() gives the first 4 KiB", function()
    local problem = answered({{status = 403, body = ("x"):rep(5000)}}, {code = "denied", posts = 1})
    assert.equal(4096, #problem:body())
  end)
end)

describe("a busy bank #transfer", function()
  it("429 with Retry-After: 1 is waited for and tried again", function()
    local _, scenario, took = answered({{status = 429, headers = {["Retry-After"] = "1"}}, {}},
      {posts = 2, options = {attempts = 2}})
    assert.is_true(took >= 1 and scenario:posts() == 2)
  end)

  it("429 with more than the timeout allows: limited at once, with retryAfter", function()
    local problem, _, took = answered({{status = 429, headers = {["Retry-After"] = "120"}}},
      {code = "limited", posts = 1, options = {attempts = 3}})
    assert.equal(120, problem.retryAfter)
    assert.is_true(problem.retryable and took < survive.seconds(1))
  end)

  it("429 with a date: limited, with the seconds until then by the bank's clock", function()
    local problem = answered({{status = 429, headers = {
      Date = "Mon, 02 Nov 2026 10:00:00 GMT", ["Retry-After"] = "Mon, 02 Nov 2026 10:01:30 GMT"}}},
      {code = "limited", posts = 1})
    assert.equal(90, problem.retryAfter)
  end)

  it("Retry-After is capped at 300 seconds, and nonsense is ignored", function()
    local problem = answered({{status = 429, headers = {["Retry-After"] = "99999999999"}}},
      {code = "limited", posts = 1})
    assert.equal(300, problem.retryAfter)
    problem = answered({{status = 429, headers = {["Retry-After"] = "soon"}}},
      {code = "limited", posts = 1})
    assert.is_nil(problem.retryAfter)
  end)

  for _, status in ipairs{500, 502, 503, 504, 408} do
    it(("%d, then 200: success within attempts"):format(status), function()
      answered({{status = status}, {}}, {posts = 2, options = {attempts = 2}})
    end)
  end

  it("503 for ever: server, all attempts made", function()
    local problem = answered({{status = 503}},
      {code = "server", posts = 3, options = {attempts = 3}})
    assert.equal(3, problem.attempts)
    assert.equal(503, problem.status)
  end)
end)

describe("an unusable answer #transfer", function()
  it("200 with an empty body: tried again, then response", function()
    answered({{body = ""}}, {code = "response", posts = 2, options = {attempts = 2}})
    answered({{body = ""}, {}}, {posts = 2, options = {attempts = 2}})
  end)

  it("200 with an HTML page: response; status and content type in the message", function()
    answered({{body = "<html>canary-token</html>", headers = {["Content-Type"] = "text/html"}}},
      {code = "response", posts = 1, message = "status 200, text/html"})
  end)

  it("a content type that spells the secret: not in the message", function()
    answered({{body = "x", headers = {["Content-Type"] = "application/" .. bank.clientSecret}}},
      {code = "response", posts = 1, message = "%(status 200%)"})
  end)

  it("204: response", function()
    answered({{status = 204, body = ""}}, {code = "response", posts = 1})
  end)

  it("a body without end: too_large, memory flat", function()
    local before = survive.peak_memory()
    answered({{endless = true}}, {code = "too_large", posts = 1})
    answered({{endless = true, headers = {["Content-Length"] = "10000000000"}}},
      {code = "too_large", posts = 1})
    assert.is_true(survive.peak_memory() < before + 4096)   -- KiB; the bodies are a thousandfold
  end)

  it("a body of exactly 64 KiB is taken, one byte more is not", function()
    local reply = '{"accessToken":"t","tokenValiditySec":60}'
    answered({{body = reply .. (" "):rep(65536 - #reply)}}, {posts = 1})
    answered({{body = reply .. (" "):rep(65537 - #reply)}}, {code = "too_large", posts = 1})
  end)

  it("a body that comes in pieces is put together, wherever they meet", function()
    local reply = '{"accessToken":"canary-token-pieces","tokenType":"Bearer","tokenValiditySec":60}'
    local body = (" "):rep(4000) .. reply .. (" "):rep(3000)
    for _, first in ipairs{1, 4020, 4095, 4096, 4097, 6000} do
      local token = raw_answered({"read_request",
        {"send", ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#body)},
        {"send", body:sub(1, first)}, {"sleep", 0.02}, {"send", body:sub(first + 1)}}, {posts = 1})
      assert.equal("canary-token-pieces", token.accessToken)
    end
  end)

  it("a gzip bomb: not decoded", function()
    answered({{bomb = true}}, {code = "response", posts = 1})   -- 48 KiB, that would be 48 MiB
  end)

  it("a body that is compressed in its transfer: not decoded", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"},
      {"send", gzip(sandbox.answer():match "{.*")}}, {code = "response", posts = 1})
  end)

  it("headers without end: network or too_large", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 OK\r\n"},
      {"send", ("X-Filler: y\r\n"):rep(500), forever = true}}, {code = "too_large", posts = 1})
  end)

  it("one header line without end: network or too_large", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 OK\r\nX-Filler: "},
      {"send", ("y"):rep(4096), forever = true}}, {code = {"network", "too_large"}, posts = 1})
  end)

  it("a status line without end: network", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 "},
      {"send", ("y"):rep(4096), forever = true}}, {code = "network", posts = 1})
  end)

  it("slow headers and a slow body: timeout", function()
    raw_answered({"read_request", {"send", sandbox.answer():sub(1, 60), every = 0.1}},
      {code = "timeout", posts = 1, options = {timeout = 0.6}})
    raw_answered({"read_request", {"send", sandbox.answer():sub(1, -40)},
      {"send", (" "):rep(40), every = 0.1}}, {code = "timeout", posts = 1,
        options = {timeout = 0.6}})
  end)

  it("no HTTP at all, HTTP/0.9, another HTTP, a broken chunk: network", function()
    for _, bytes in ipairs{"SSH-2.0-OpenSSH_9.2\r\n", sandbox.answer():match("{.*"),
      "HTTP/1.1 abc\r\n\r\n", "HTTP/3.3 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot-a-size\r\n"} do
      raw_answered({"read_request", {"send", bytes}},
        {code = "network", posts = 1, options = {attempts = 3}})
    end
  end)

  it("that breaks off in its header: network, whatever its status, and not tried again", function()
    for _, bytes in ipairs{"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nConten",
      "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Ty", "HTTP/1.1 401 No\r\nServer: x\r\n",
      "HTTP/1.1 429 Wait\r\nRetry-Af"} do
      raw_answered({"read_request", {"send", bytes}},
        {code = "network", posts = 1, options = {attempts = 3}})
    end
  end)

  it("interim answers (1xx) before the real one: success", function()
    raw_answered({"read_request",
      {"send", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nRetry-After: 9\r\n\r\n"},
      {"send", sandbox.answer()}}, {posts = 1})
  end)
end)

-- Options that are used again keep a handle set up in the core. What happens to one call must not
-- show in the next.
describe("one table of options, call after call #transfer", function()
  local function calls(steps, changes)
    local scenario = bank:scenario(steps)
    local options = survive.options(changes)
    options.baseUrl = scenario.baseUrl
    return function() return auth.authenticate(options) end, scenario
  end

  it("stores no cookie", function()
    local cookies = {["Set-Cookie"] = {"session=1; Path=/", "b=2; Path=/"}}
    local call, scenario = calls{{headers = cookies}}
    for _ = 1, 4 do assert(call()) end
    for _, request in ipairs(scenario:requests()) do assert.is_nil(request.headers.cookie) end
  end)

  it("follows each redirect anew", function()
    local hop = {redirect = "/s/NAME/moved/authenticate"}
    local call, scenario = calls{hop, {}, hop, {}, hop, {}, hop, {}}
    for _ = 1, 4 do assert(call()) end
    local requests = scenario:requests()
    assert.equal(8, #requests)
    for i = 1, 8 do
      assert.equal(i % 2 == 0, requests[i].uri:find("/moved/", 1, true) ~= nil)
    end
  end)

  it("goes on after every kind of failure", function()
    local call, scenario = calls{{}, {}, {}, {endless = true}, {}, {status = 401}, {}, {body = ""},
      {}, {status = 204, body = ""}, {}}
    for i = 1, 11 do assert.equal(i <= 3 or i % 2 == 1, call() ~= nil, i) end
    assert.equal(11, scenario:posts())
  end)

  it("gives a second try what is left of the timeout", function()
    local timeout, half = survive.seconds(2), survive.seconds(1)
    local call, scenario = calls({{}, {}, {status = 503, delay = half}, {delay = 2 * timeout}},
      {attempts = 2, timeout = timeout})
    for _ = 1, 2 do assert(call()) end
    local began = core.boot()
    assert.equal("timeout", select(3, call()).code)
    assert.is_true(core.boot() - began < timeout + half / 2)
    assert.equal(4, scenario:posts())
  end)

  it("does not outlive the modules: a table read after they are loaded again is another", function()
    local call, first = calls{}
    for _ = 1, 3 do assert(call()) end
    local second = bank:scenario{}
    local loaded = {}
    for name, module in pairs(package.loaded) do
      if name:find("^corebank%.auth") then loaded[name] = module end
    end
    for name in pairs(loaded) do package.loaded[name] = nil end
    local again = require "corebank.auth"
    local options = survive.options{baseUrl = second.baseUrl}
    for _ = 1, 3 do assert(again.authenticate(options)) end
    for name, module in pairs(loaded) do package.loaded[name] = module end
    assert.equal(3, first:posts())
    assert.equal(3, second:posts())
  end)
end)

describe("what is sent #transfer", function()
  local function sent(options)
    local scenario = bank:scenario{{accept = "any"}}
    options = survive.options(options)
    options.baseUrl = scenario.baseUrl .. "/"   -- the slash must not double
    assert(auth.authenticate(options))
    return scenario:requests()[1], scenario
  end

  it("is the documented request and nothing else", function()
    local request, scenario = sent{}
    assert.equal("POST", request.method)
    assert.equal(scenario.baseUrl:match("(/s/.*)") .. "/api/auth/v1/authenticate", request.uri)
    assert.same({"application/json"}, request.headers["content-type"])
    assert.is_nil(request.headers.expect or request.headers.cookie
      or request.headers["accept-encoding"] or request.headers.authorization)
    assert.is_truthy(request.header:find("^POST %S+ HTTP/1%.1\r\n"))
    assert.same({"corebank-auth/" .. auth.VERSION}, request.headers["user-agent"])
    assert.same({tostring(#request.body)}, request.headers["content-length"])
    assert.equal(('{"clientId":"%s","clientSecret":"%s"}'):format(bank.clientId,
      bank.clientSecret), request.body)
  end)

  it("is correct JSON whatever the credentials hold", function()
    local json = require "dkjson"
    local id = 'quote " backslash \\ slash / tab \t bell \7 del \127'
    local secret = "Ünïcödé 密码 🔑 \1\31 {}[],:"
    local request = sent{clientId = id, clientSecret = secret}
    assert.same({clientId = id, clientSecret = secret}, (json.decode(request.body)))
    assert.is_nil(request.body:find("[%z\1-\31]"))
  end)

  it("is complete with the longest credentials in the longest encodings", function()
    local json = require "dkjson"
    for _, character in ipairs{"\1", "🔑", '"'} do
      local long = character:rep(100)
      local request = sent{clientId = long, clientSecret = long}
      assert.same({clientId = long, clientSecret = long}, (json.decode(request.body)))
    end
  end)

  it("carries the caller's headers, an empty one too", function()
    local request = sent{headers = {["X-Gateway-Key"] = "k 1", ["X-Empty"] = ""}}
    assert.same({"k 1"}, request.headers["x-gateway-key"])
    assert.same({""}, request.headers["x-empty"])
  end)

  it("has one User-Agent: the caller's, if there is one", function()
    assert.same({"mine/1"}, sent{headers = {["user-agent"] = "mine/1"}}.headers["user-agent"])
    assert.same({""}, sent{headers = {["User-Agent"] = ""}}.headers["user-agent"])
  end)

  it("goes to another path when asked to", function()
    local scenario = bank:scenario{{accept = "any"}}
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl, path = "/oauth/v2/login"}))
    assert.is_truthy(scenario:requests()[1].uri:find("/oauth/v2/login$"))
  end)

  it("uses the kept connection", function()
    local scenario = bank:scenario{}
    for _ = 1, 3 do assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl})) end
    local requests = scenario:requests()
    assert.equal(requests[1].connection, requests[3].connection)
  end)
end)
