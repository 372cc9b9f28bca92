--- The lines of a request and of an answer: what a request may hold, and what a script gets to see.

local api_calls = require "spec.support.api_calls"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local OTHER_LINE = "canary-line: 1"

local function new_endpoint(lines)
  return core.endpoint{connectTimeout = survive.seconds(3), caFile = bank.caFile, proxy = "",
    headerLines = lines}
end

describe("a request's lines #transfer", function()
  local endpoint = api_calls.endpoint()

  it("cannot be split by what a script writes", function()
    local url = "https://localhost:1/a"
    for _, request in ipairs{
      {method = "GET /other HTTP/1.1\r\n" .. OTHER_LINE}, {method = "G T"}, {method = ""},
      {method = "G\0T"}, {method = "GÉT"}, {method = "GET:"},
      {url = url .. "\r\n" .. OTHER_LINE}, {url = url .. " HTTP/1.1"}, {url = url .. "\t"},
      {url = url .. "\0/b"}, {url = url .. "\127"},
      {headers = {"X-Own: 1\r\n" .. OTHER_LINE}}, {headers = {"X-Own: 1\n"}},
      {headers = {"X-Own: 1\0"}}, {headers = {"X Own: 1"}}, {headers = {": 1"}}, {headers = {""}},
      {headers = {"X-Own"}}, {headers = {"X-Own:"}}, {headers = {"X-Own: \t "}},
      {headers = {"X-Own; 1"}}, {headers = {"X-Öwn: 1"}}, {headers = {"X-Own: \27[0m"}},
      {headers = {"X-Own: 1", 7}}, {headers = {"X-Own: 1", false}},
    } do
      request.url = request.url or url
      local ok, message = pcall(core.transfer, endpoint, request, 1)
      assert.is_false(ok, (next(request)))
      assert.is_nil(message:find("canary", 1, true))
    end
    assert.is_false((pcall(new_endpoint, {"X-Own: 1\r\n" .. OTHER_LINE})))
  end)

  it("are 32 header lines at most; a longer list raises", function()
    local lines = {}
    for i = 1, 32 do lines[i] = ("X-Own-%d: %d"):format(i, i) end
    local calls = api_calls.new()
    table.remove(lines)
    assert.equal(200, calls:perform{path = "/echo", headers = lines}.status)
    assert.equal("31", calls:last().headers["x-own-31"])
    assert.is_false((pcall(calls.perform, calls, {path = "/echo", headers = lines})))
    calls:close()
  end)

  it("may have any visible bytes, and empty values", function()
    local calls = api_calls.new()
    calls:perform{path = "/echo", headers = {"X-Own: Zürich; a=\"b\",\tc", "X-Empty;",
      "x-!#$%&'*+.^_`|~1:tight"}}
    local headers = calls:last().headers
    assert.equal("Zürich; a=\"b\",\tc", headers["x-own"])
    assert.equal("", headers["x-empty"])
    calls:close()
  end)

  it("replace those of the endpoint, and libcurl's own, and are there once", function()
    local scenario = bank:scenario{{accept = "any"}}
    local shared = new_endpoint{"X-Key: endpoint", "X-Other: endpoint", "User-Agent: endpoint/1",
      "Content-Type: text/endpoint"}
    local function headers_of(request)
      request.url, request.method, request.body = scenario.baseUrl .. "/thing", "POST", "{}"
      api_calls.finish(core.transfer(shared, request, survive.seconds(5)))
      local list = scenario:requests()
      return list[#list].headers
    end
    local headers = headers_of{headers = {"x-key: request", "user-agent: request/1",
      "CONTENT-TYPE: text/request", "Accept: text/own"}}
    assert.same({"request"}, headers["x-key"])
    assert.same({"endpoint"}, headers["x-other"])
    assert.same({"request/1"}, headers["user-agent"])
    assert.same({"text/request"}, headers["content-type"])
    assert.same({"text/own"}, headers.accept)
    headers = headers_of{}
    assert.same({"endpoint"}, headers["x-key"])
    assert.same({"endpoint/1"}, headers["user-agent"])
    assert.same({"text/endpoint"}, headers["content-type"])
    assert.same({"*/*"}, headers.accept)
    shared:close()
  end)

  it("have no form's type, and the length of a body that is missing", function()
    local calls = api_calls.new()
    for _, method in ipairs{"POST", "PUT", "PATCH"} do
      calls:perform{path = "/echo", method = method}
      local headers = calls:last().headers
      assert.equal("0", headers["content-length"])
      assert.is_nil(headers["content-type"])
      assert.is_nil(headers.expect)
    end
    calls:perform{path = "/echo", method = "PUT", body = ("x"):rep(2000000), maxBytes = 1e7}
    assert.is_nil(calls:last().headers.expect)
    assert.is_nil(calls:last().headers["content-type"])
    calls:close()
  end)

  it("have the URL as it was parsed; without a scheme there is none to guess", function()
    for _, url in ipairs{"localhost/a", "://localhost", "https://", "https://localhost:99999/",
      "http//localhost"} do
      local ok, message = pcall(function()
        local transfer = core.transfer(endpoint, {url = url}, 1)
        while not transfer:wait(1) do end
        return transfer:result()
      end)
      assert.is_false(ok, url)
      assert.is_truthy(message:find("the URL cannot be read", 1, true), message)
    end
    local raw = sandbox.raw{connections = {{"read_request", {"send", sandbox.answer "{}"}}}}
    for _, way in ipairs{{"/a/../b?c=%20d#e", "/b?c=%20d"}, {"?a=b", "/?a=b"}, {"", "/"},
      {"//a//b", "//a//b"}, {"/%2e%2e/b%2F", "/%2e%2e/b%2F"}} do
      local before = raw:connections()
      api_calls.finish(core.transfer(endpoint, {url = raw.url .. way[1]}, survive.seconds(5)))
      local sent = raw:received(before + 1)
      assert.equal("GET " .. way[2] .. " HTTP/1.1", sent:match "^[^\r]*")
    end
    raw:stop()
  end)
end)

describe("an answer's headers #transfer", function()
  local endpoint, raw

  before_each(function() endpoint = api_calls.endpoint() end)

  after_each(function()
    endpoint:close()
    raw:stop()
  end)

  local function headers_of(bytes, request)
    raw = sandbox.raw{connections = {{"read_request", {"send", bytes}, "close"}}}
    request = request or {}
    request.url, request.keepHeaders = raw.url, request.keepHeaders == nil or request.keepHeaders
    local result, _, headers = api_calls.finish(core.transfer(endpoint, request,
      survive.seconds(5)))
    return headers, result
  end

  it("are all lines in order, each name as often as it came", function()
    local headers = headers_of("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nx-own:\r\n"
      .. "Set-Cookie: \t b=2; path=/ \r\nContent-Length: 0\r\nX-Tight:a:b\r\nX-Colon: : \r\n\r\n")
    assert.equal("Set-Cookie: a=1\nx-own: \nSet-Cookie: b=2; path=/\nContent-Length: 0\n"
      .. "X-Tight: a:b\nX-Colon: :\n", headers)
  end)

  it("are those of the last answer, not of a 1xx, and no trailers", function()
    assert.equal("X-Own: 1\nTransfer-Encoding: chunked\n", (headers_of(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Own: 1\r\n"
      .. "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n")))
  end)

  it("are there once a line is folded, and where a line is no header", function()
    local headers = headers_of "HTTP/1.1 200 OK\r\nX-Own: one\r\n  two\r\nContent-Length: 0\r\n\r\n"
    assert.is_truthy(headers:find "^X%-Own: one +two\nContent%-Length: 0\n$", headers)
  end)

  it("are none unless the request keeps them", function()
    assert.equal("", (headers_of("HTTP/1.1 200 OK\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n",
      {keepHeaders = false})))
  end)

  it("are limited to 64 KiB", function()
    local line = "X-Own: " .. ("x"):rep(1000) .. "\r\n"
    local headers = headers_of("HTTP/1.1 200 OK\r\n" .. line:rep(60)
      .. "Content-Length: 0\r\n\r\n")
    assert.equal(61, select(2, headers:gsub("\n", "")))
    raw:stop()
    local _, result = headers_of("HTTP/1.1 200 OK\r\n" .. line:rep(70)
      .. "Content-Length: 0\r\n\r\n")
    assert.equal("too_large", result.failure)
  end)
end)

describe("the headers of a tunnel's proxy #transfer", function()
  it("are none of the answer's", function()
    local server = sandbox.raw{connections = {{{"starttls"}, "read_request",
      {"send", "HTTP/1.1 200 OK\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n"}, "silence"}}}
    local proxy = sandbox.raw{connections = {{"tunnel"}}}
    local endpoint = core.endpoint{connectTimeout = survive.seconds(3), caFile = bank.caFile,
      proxy = proxy.url, noProxy = ""}
    local result, _, headers = api_calls.finish(core.transfer(endpoint, {url = server.httpsUrl,
      keepHeaders = true}, survive.seconds(5)))
    assert.equal(200, result.status)
    assert.equal("X-Own: 1\nContent-Length: 0\n", headers)
    endpoint:close()
    proxy:stop()
    server:stop()
  end)
end)
