-- FAULTS, "HTTP": answers that are too large, too slow, broken off or no HTTP.

local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local answered, raw_answered = survive.answered, survive.raw_answered

local function gzip(text)
  local pipe = io.popen("printf %s " .. files.quoted(text) .. " | gzip -c")
  local packed = pipe:read "*a"
  pipe:close()
  return packed
end

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
      {"send", gzip(sandbox.answer():match "{.*")}},
      {code = survive.isLibcurl8 and "network" or "response", posts = 1})
  end)

  it("headers without end: network or too_large", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 OK\r\n"},
      {"send", ("X-Filler: y\r\n"):rep(500), forever = true}}, {code = "too_large", posts = 1})
  end)

  it("one header line without end: network or too_large", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 OK\r\nX-Filler: "},
      {"send", ("y"):rep(4096), forever = true}}, {code = {"network", "too_large"}, posts = 1})
  end)

  it("a status line without end: network, or too_large where libcurl says so", function()
    raw_answered({"read_request", {"send", "HTTP/1.1 200 "},
      {"send", ("y"):rep(4096), forever = true}},
      {code = survive.isLibcurl8 and "too_large" or "network", posts = 1})
  end)

  it("slow headers and a slow body: timeout", function()
    raw_answered({"read_request", {"send", sandbox.answer():sub(1, 60), every = 0.1}},
      {code = "timeout", posts = 1, options = {timeout = 0.6}})
    raw_answered({"read_request", {"send", sandbox.answer():sub(1, -40)},
      {"send", (" "):rep(40), every = 0.1}}, {code = "timeout", posts = 1,
        options = {timeout = 0.6}})
  end)

  it("no HTTP at all, HTTP/0.9, another HTTP, a broken chunk: network", function()
    -- libcurl 7 takes HTTP/2 in plain text for an answer, libcurl 8 HTTP/3, and 7.74 any.
    local other = survive.isLibcurl8 and "HTTP/2 200 OK\r\n\r\n"
      or survive.isLibcurl780 and "HTTP/3.3 200 OK\r\n\r\n" or nil
    for _, bytes in ipairs{"SSH-2.0-OpenSSH_9.2\r\n", sandbox.answer():match("{.*"),
      "HTTP/1.1 abc\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot-a-size\r\n", other} do
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
