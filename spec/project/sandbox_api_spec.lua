-- The API beside the sandbox bank (spec/sandbox/api.lua), as curl sees it.

local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local auth = require "corebank.auth"
local bank = sandbox.bank()
local ACCOUNTS = "/api/accounts/v1/accounts"
local TRANSFERS = "/api/payments/v1/transfers"
local TRANSFER = '{"from":"1","to":"2","amount":19.90}'
local HAS_HTTP2 = files.output_of("curl --version"):find("HTTP2", 1, true) ~= nil

describe("the sandbox bank's API #transfer", function()
  local scenario, token

  before_each(function()
    scenario = bank:scenario{}
    token = assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl}))
  end)

  -- {status=, body=, headers= (text), exit= (curl's)} of what curl gets; `more` are words for it.
  local function call(path, more, server)
    local answer = files.output_of(("printf %%s %s | curl --silent --max-time 60 -H @- -H Expect: "
      .. "--cacert %s --dump-header - %s %s; printf '\\n%%s' $?"):format(
        files.quoted("Authorization: " .. token:header()), files.quoted(bank.caFile),
        more or "", files.quoted(scenario:on(server or "main") .. path)))
    local text, exit = answer:match "^(.*)\n(%d+)$"
    local headers, body = text:match "^(.-\r\n)\r\n(.*)$"
    return {exit = tonumber(exit), headers = headers or "", body = body or "",
      status = tonumber((headers or ""):match "^HTTP/%S+ (%d+)")}
  end

  -- The same without what it sends: for bodies that are large.
  local function size_of(path, more)
    local size = files.output_of(("printf %%s %s | curl --silent -H @- --cacert %s "
      .. "--output /dev/null --write-out '%%{size_download} %%{http_code}' %s %s"):format(
        files.quoted("Authorization: " .. token:header()), files.quoted(bank.caFile),
        more or "", files.quoted(scenario.baseUrl .. path)))
    return size:match "^(%d+) (%d+)"
  end

  it("has accounts on pages", function()
    local answer = call(ACCOUNTS .. "?size=25&page=3")
    assert.equal(200, answer.status)
    local reply = auth.json.decode(answer.body)
    assert.same({page = 3, pages = 3}, {page = reply.page, pages = reply.pages})
    assert.equal(10, #reply.accounts)
    assert.equal("51", reply.accounts[1].accountId)
    assert.is_truthy(answer.headers:find "\r\nX%-Request%-Id: %x+\r\n")
    assert.equal(400, call(ACCOUNTS .. "?page=0").status)
    assert.is_truthy(call(ACCOUNTS .. "/7").body:find('"balance":7000.07', 1, true))
    assert.equal(404, call(ACCOUNTS .. "/61").status)
    assert.equal(404, call("/api/accounts/v2").status)
    assert.equal(405, call(ACCOUNTS, "-X DELETE").status)
  end)

  it("makes a transfer once for each Idempotency-Key", function()
    local words = "-H 'Idempotency-Key: one' -d " .. files.quoted(TRANSFER)
    local first, second = call(TRANSFERS, words), call(TRANSFERS, words)
    assert.same({201, 201}, {first.status, second.status})
    assert.equal(first.body, second.body)
    assert.is_truthy(first.body:find('"amount":19.90', 1, true))
    assert.is_truthy(second.headers:find("Idempotent-Replayed: true", 1, true))
    assert.same({received = 2, done = 1}, scenario:transfers())
    assert.equal(409, call(TRANSFERS, "-H 'Idempotency-Key: one' -d "
      .. files.quoted(TRANSFER:gsub("90", "91"))).status)
    assert.equal(400, call(TRANSFERS, "-d '{}'").status)
    assert.same({received = 4, done = 1}, scenario:transfers())
    for _ = 1, 2 do call(TRANSFERS, "-d " .. files.quoted(TRANSFER)) end
    assert.same({received = 6, done = 3}, scenario:transfers())
    assert.equal(first.body, call(TRANSFERS .. "/1").body)
    assert.equal(404, call(TRANSFERS .. "/9").status)
  end)

  it("accepts the latest token until it is revoked, and rejects every one at /forbidden", function()
    assert.equal(401, call(ACCOUNTS .. "/forbidden").status)
    assert.equal(200, call(ACCOUNTS).status)
    scenario:revoke()
    local answer = call(ACCOUNTS)
    assert.equal(401, answer.status)
    assert.is_truthy(answer.headers:find('WWW-Authenticate: Bearer error="invalid_token"', 1, true))
    local old = token
    token = assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl}))
    assert.equal(200, call(ACCOUNTS).status)
    token = old
    assert.equal(401, call(ACCOUNTS).status)
    assert.equal(5, scenario:calls())
  end)

  it("follows its script, whose last step is for ever", function()
    scenario:api{{status = 401}, {status = 429, retryAfter = 2}, {body = "[1]"}, {}}
    assert.equal(401, call(TRANSFERS, "-d " .. files.quoted(TRANSFER)).status)
    local answer = call(ACCOUNTS)
    assert.equal(429, answer.status)
    assert.is_truthy(answer.headers:find("Retry-After: 2", 1, true))
    assert.equal("[1]", call(ACCOUNTS).body)
    for _ = 1, 2 do assert.equal(200, call(ACCOUNTS).status) end
    assert.equal(0, scenario:transfers().done)
  end)

  it("does what a query asks for where there is no script", function()
    for _, status in ipairs{400, 404, 409, 429, 500, 503} do
      local answer = call(ACCOUNTS .. "?retryAfter=3&status=" .. status)
      assert.equal(status, answer.status)
      assert.is_truthy(answer.headers:find("Retry-After: 3", 1, true))
      assert.is_truthy(answer.body:find('"errorCode":"API-0' .. status .. '"', 1, true))
    end
    assert.equal(204, call("/api/echo?status=204").status)
  end)

  it("has statements of any size, whole, in chunks or compressed", function()
    local path = ACCOUNTS .. "/1/statement?bytes=3000000"
    assert.same({"3000000", "200"}, {size_of(path)})
    assert.same({"3000000", "200"}, {size_of(path .. "&length=no")})
    assert.is_true(tonumber((size_of(path .. "&gzip=1", "-H 'Accept-Encoding: gzip'"))) < 1000000)
    local answer = call(ACCOUNTS .. "/1/statement?bytes=36")
    assert.equal("line 0000000000\n line 0000000001\n line", (answer.body:gsub("\n", "\n ")))
    assert.is_truthy(answer.headers:find("Content-Length: 36", 1, true))
  end)

  it("cuts a body short, and hangs up after it has done what it was asked for", function()
    local answer = call(ACCOUNTS .. "/1/statement?bytes=200&cut=32")
    assert.same({18, 200, 32}, {answer.exit, answer.status, #answer.body})
    answer = call(TRANSFERS .. "?close=1", "-d " .. files.quoted(TRANSFER))
    assert.same({52, nil}, {answer.exit, answer.status})
    assert.same({received = 1, done = 1}, scenario:transfers())
  end)

  it("answers early, in the middle of an upload", function()
    local upload = bank.dir .. "/upload"
    files.write(upload, ("x"):rep(20000000))
    local words = "--data-binary @" .. files.quoted(upload)
    assert.equal(401, call("/api/echo?early=65536", words).status)
    assert.equal(413, call("/api/echo?early=1000&status=413", words).status)
    assert.same({65536, 1000}, {scenario:journal()[1].bytes, scenario:journal()[2].bytes})
    assert.equal(200, call("/api/echo", words .. " --output /dev/null").status)
    os.remove(upload)
    assert.equal(20000000, scenario:journal()[3].bytes)
  end)

  it("redirects to the same origin and to another one", function()
    scenario:api{{redirect = "/s/NAME/api/echo"}, {redirect = scenario:on "tls13" .. "/api/echo",
      status = 308}, {}}
    assert.is_truthy(call(ACCOUNTS).headers:find(
      "Location: /s/" .. scenario.name .. "/api/echo\r", 1, true))
    call(ACCOUNTS, "--location")
    local seen = scenario:journal()
    assert.same({307, 308, "/api/echo"}, {seen[1].status, seen[2].status, seen[3].path})
    assert.not_equal(seen[2].port, seen[3].port)
  end)

  it("tells what arrived, at once and in its journal", function()
    local answer = call("/api/echo/x?a=1&b=%20", "-X PATCH -H 'X-Own: one' -d 'text'")
    local echo = auth.json.decode(answer.body)
    assert.same({"PATCH", "/api/echo/x", "text", "1", " ", "one"}, {echo.method, echo.path,
      echo.body, echo.query.a, echo.query.b, echo.headers["x-own"]})
    local seen = scenario:journal()[1]
    assert.same({"PATCH", "text", 4, "HTTP/1.1", 200},
      {seen.method, seen.body, seen.bytes, seen.protocol, seen.status})
    assert.equal(token:header(), "Bearer " .. seen.token)
  end)

  it("speaks HTTP/2", function()
    if not HAS_HTTP2 then return end
    assert.equal(201, call(TRANSFERS, "-d " .. files.quoted(TRANSFER), "http2").status)
    assert.equal(92, call(TRANSFERS .. "?close=1", "-d " .. files.quoted(TRANSFER), "http2").exit)
    assert.equal(401, call("/api/echo?early=0", "-d a", "http2").status)
    assert.same({received = 2, done = 2}, scenario:transfers())
    assert.equal("HTTP/2.0", scenario:journal()[1].protocol)
  end)

  it("has raw servers of HTTP/2 that refuse a stream, or end without an answer", function()
    if not HAS_HTTP2 then return end
    local raw = sandbox.raw{connections = {
      {{"starttls", alpn = "h2"}, "h2_open", "h2_read", {"h2_answer", "first"}, "h2_read",
        {"h2_reset", 7}, "silence"},
      {{"starttls", alpn = "h2"}, "h2_open", "h2_read", {"h2_goaway", 0}, "close"},
    }}
    local function get(count)
      return files.output_of(("curl --silent --max-time 5 --cacert %s -d body %s; echo $?"):format(
        files.quoted(bank.caFile), (files.quoted(raw.httpsUrl) .. " "):rep(count)))
    end
    assert.is_truthy(get(2):find "^first")
    assert.is_truthy(raw:posts() >= 2)
    get(1)
    raw:stop()
  end)
end)
