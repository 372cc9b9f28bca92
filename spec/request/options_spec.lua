-- What a caller writes of a request: mistakes raise at the caller's line and send nothing.

local auth = require "corebank.auth"
local fake = require "spec.support.fake"
local survive = require "spec.support.survive"

local function keep()
  local kept, world = fake.keep(fake.steady(3600))
  world.api = function() return {} end
  return kept, world
end

-- What the API sees of a request.
local function sent(given)
  local kept, world = keep()
  local fields
  local transfer = world.system.transfer
  function world.system.transfer(endpoint, request, seconds)
    if not request.clientId then
      fields = {}
      for name, value in pairs(request) do fields[name] = value end
      fields.headers = {}
      for i = 2, #request.headers do fields.headers[i - 1] = request.headers[i] end
    end
    return transfer(endpoint, request, seconds)
  end
  local reply
  world.call(function() reply = assert(kept:request(given)) end)
  world.pass(1)
  assert.equal(200, reply.status)
  return fields
end

local function many_headers()
  local headers = {}
  for i = 1, 32 do headers["X-" .. i] = "y" end
  return headers
end

describe("a mistake in a request", function()
  local nested = {}
  nested[1] = nested
  for what, case in pairs{
    ["no table"] = {7, "a table of options is needed, not number"},
    ["no path"] = {{}, "either path or url is needed"},
    ["path and url"] = {{path = "/a", url = "/a"}, "either path or url is needed"},
    ["an unknown option"] = {{path = "/a", metod = "GET"},
      "unknown option 'metod'; did you mean 'method'?"},
    ["a strange option"] = {{path = "/a", zzzzzzzz = 1}, "docs/api.md lists the options"},
    ["a method in small letters"] = {{path = "/a", method = "get"}, "method must be in capitals"},
    ["a method of two words"] = {{path = "/a", method = "GET /b"}, "method must be in capitals"},
    TRACE = {{path = "/a", method = "TRACE"}, "method must not be TRACE"},
    CONNECT = {{path = "/a", method = "CONNECT"}, "method must not be CONNECT"},
    ["a body twice"] = {{path = "/a", json = {}, body = ""}, "json and body are both given"},
    ["a body of another type"] = {{path = "/a", body = 7}, "body must be a string, a function or"},
    ["a body of a table"] = {{path = "/a", body = {"x"}}, "body must be a string, a function or"},
    ["a body of a file and more"] = {{path = "/a", body = {file = "x", mode = "y"}},
      "body must be a string, a function or"},
    ["a file that is not there"] = {{path = "/a", body = {file = "/nowhere/file"}},
      "body cannot be read: /nowhere/file: No such file or directory"},
    ["JSON that cannot be"] = {{path = "/a", json = {a = {print}}},
      "json: value.a[1] is a function"},
    ["JSON in a circle"] = {{path = "/a", json = nested}, "json: value"},
    ["a contentType alone"] = {{path = "/a", contentType = "text/plain"},
      "contentType is given without a body"},
    ["a contentType of two lines"] = {
      {path = "/a", body = "", contentType = "a\r\nX: canary-secret"},
      "contentType must carry no control characters"},
    ["a header of two lines"] = {{path = "/a", headers = {["X-A"] = "1\r\nX-B: canary-secret"}},
      "headers must carry no control characters in X-A"},
    ["an empty key"] = {{path = "/a", headers = {["idempotency-key"] = " "}},
      "headers: Idempotency-Key must not be empty"},
    ["no time"] = {{path = "/a", timeout = 0}, "timeout must be a number above 0"},
    ["a header that is an option"] = {{path = "/a", headers = {["Content-Type"] = "canary-secret"}},
      "headers must not set Content-Type, which corebank-auth sets itself; use the option "
        .. "contentType"},
    ["no attempts"] = {{path = "/a", attempts = 0},
      "attempts must be a whole number of at least 1"},
    ["half a byte"] = {{path = "/a", maxBytes = 0.5}, "maxBytes must be a whole number"},
    ["into a number"] = {{path = "/a", into = 7}, "into must be a function or the name of a file"},
    ["into a device"] = {{path = "/a", into = "/dev/null"}, "into must not be a device"},
    ["a body of a HEAD"] = {{path = "/a", method = "HEAD", json = {}},
      "a HEAD request cannot have a body"},
    ["32 headers and ours"] = {{path = "/a", headers = many_headers()},
      "headers must leave room for ours: 32 lines altogether"},
    ["a contentType of blanks"] = {{path = "/a", body = "", contentType = " "},
      "contentType must not be empty"},
    ["a query with a table that is no list"] = {{path = "/a", query = {filter = {a = 1}}},
      "query must have strings, numbers, booleans or lists of them, but filter is no list"},
    ["into no folder"] = {{path = "/a", into = "/nowhere/file"},
      "into cannot be written: /nowhere/"},
    ["a strange query"] = {{path = "/a", query = {a = print}}, "query must have strings, numbers"},
    ["another origin"] = {{url = "https://evil.example/"}, "url leads to https://evil.example"},
  } do
    it("raises at the caller's line and sends nothing: " .. what, function()
      local kept, world = keep()
      local ok, message = pcall(function() return (kept:request(case[1])) end)
      assert.is_false(ok)
      assert.is_truthy(message:find "options_spec.lua:%d+: request: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
      survive.no_canary(message)
      assert.equal(0, #world.posts + #world.calls)
    end)
  end

  it("raises at the caller's line: a dot in place of the colon", function()
    local kept = keep()
    for _, call in ipairs{
      function() return (kept.request{path = "/a"}) end,
      function() return (kept.requestAll{{path = "/a"}}) end,
      function() return (kept.forget()) end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.is_truthy(message:find "options_spec.lua:%d+: this method needs a client", message)
    end
  end)

  for _, name in ipairs{"Authorization", "host", "Content-Length", "Content-Type",
    "Transfer-Encoding", "Expect", "Connection", "Accept-Encoding", "Proxy-Authorization", "TE"} do
    it("is a header that is ours: " .. name, function()
      local kept = keep()
      local ok, message = pcall(function()
        return (kept:request{path = "/a", headers = {[name] = "canary-secret"}})
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("headers must not set " .. name, 1, true), message)
      survive.no_canary(message)
    end)
  end
end)

describe("a request", function()
  it("is a GET, or a POST where it has a body", function()
    assert.equal("GET", sent{path = "/a"}.method)
    assert.equal("POST", sent{path = "/a", json = {}}.method)
    assert.equal("POST", sent{path = "/a", body = ""}.method)
    assert.equal("PUT", sent{path = "/a", body = "x", method = "PUT"}.method)
  end)

  it("accepts JSON first, unless its headers say otherwise", function()
    assert.same({"Accept: application/json, */*;q=0.5"}, sent{path = "/a"}.headers)
    assert.same({"accept: text/csv"}, sent{path = "/a", headers = {accept = "text/csv"}}.headers)
  end)

  it("says what its body is", function()
    local function kind(given)
      given.path = "/a"
      return sent(given).headers[2]
    end
    assert.equal("Content-Type: application/json", kind{json = {}})
    assert.equal("Content-Type: application/octet-stream", kind{body = "x"})
    assert.equal("Content-Type: text/csv", kind{body = "x", contentType = "text/csv"})
    assert.equal("Content-Type: application/merge-patch+json",
      kind{json = {}, contentType = "application/merge-patch+json"})
  end)

  it("has JSON written so that it reads back the same", function()
    assert.equal('{"amount":19.95}', sent{path = "/a", json = {amount = 19.95}}.body)
    assert.equal("[]", sent{path = "/a", json = auth.array{}}.body)
    assert.equal("false", sent{path = "/a", json = false}.body)
    assert.equal("null", sent{path = "/a", json = auth.null}.body)
  end)

  it("goes over HTTP/2 where it can, decoded, and keeps 8 MiB", function()
    local fields = sent{path = "/a"}
    assert.same({true, true, 8388608}, {fields.http2, fields.decode, fields.maxBytes})
    assert.is_nil(fields.stream)
    assert.is_nil(fields.upload)
  end)
end)
