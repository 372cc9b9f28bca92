--- Bodies of answers that are compressed, and bodies that are none.

local api_calls = require "spec.support.api_calls"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local function answer(lines, body)
  return "HTTP/1.1 200 OK\r\n" .. lines .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

describe("an answer's encoding #transfer", function()
  local endpoint, raw

  before_each(function() endpoint = api_calls.endpoint() end)

  after_each(function()
    endpoint:close()
    if raw then raw:stop() end
    raw = nil
  end)

  local function perform(bytes, request)
    raw = sandbox.raw{connections = {{"read_request", {"send", bytes}, "silence"}}}
    request.url = raw.url
    if request.decode == nil then request.decode = true end
    local result, body = api_calls.finish(core.transfer(endpoint, request, survive.seconds(5)))
    return result, body, raw:received(1)
  end

  local gzipped = files.output_of "printf 'money %.0s' $(seq 1000) | gzip"
  local plain = ("money "):rep(1000)

  it("is asked for, and decoded, when the request says so", function()
    local result, body, sent = perform(answer("Content-Encoding: gzip\r\n", gzipped), {})
    assert.is_truthy(sent:find "\r\nAccept%-Encoding: [%w, ]*gzip")
    assert.equal(200, result.status)
    assert.equal(plain, body)
  end)

  it("is neither asked for nor decoded otherwise", function()
    local _, body, sent = perform(answer("Content-Encoding: gzip\r\n", gzipped), {decode = false})
    assert.is_nil(sent:find("Accept-Encoding", 1, true))
    assert.is_nil(body)
  end)

  it("is counted by what comes of it", function()
    local result, body = perform(answer("Content-Encoding: gzip\r\n", gzipped),
      {maxBytes = #plain})
    assert.equal(200, result.status)
    assert.equal(#plain, #body)
    raw:stop()
    assert.equal("too_large", perform(answer("Content-Encoding: gzip\r\n", gzipped),
      {maxBytes = #plain - 1}).failure)
  end)

  it("that is broken, or unknown to libcurl, is a failure", function()
    for _, bytes in ipairs{answer("Content-Encoding: gzip\r\n", gzipped:sub(1, 20) .. "garbage!"),
      answer("Content-Encoding: gzip\r\n", "no gzip at all"),
      answer("Content-Encoding: secret-sauce\r\n", "what is this")} do
      local result = perform(bytes, {})
      assert.equal("network", result.failure)
      assert.equal("yes", result.sent)
      assert.is_true(result.cut)
      raw:stop()
    end
  end)

  it("of a refusal that cannot be read leaves its status", function()
    local result, body = perform("HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\n"
      .. "Content-Length: 7\r\n\r\nno gzip", {})
    assert.equal(403, result.status)
    assert.equal("", body)
    assert.is_true(result.cut)
  end)

  it("is no fault where there is no body", function()
    for _, decode in ipairs{true, false} do
      for head, method in pairs{
        ["HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"] = "PUT",
        ["HTTP/1.1 304 Same\r\nContent-Encoding: gzip\r\nContent-Length: 70\r\n\r\n"] = "GET",
        ["HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 70\r\n\r\n"] = "HEAD",
        ["HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"] = "GET"} do
        local result, body = perform(head, {decode = decode, method = method})
        assert.is_nil(result.failure, head)
        assert.equal("", body)
        assert.is_nil(result.cut)
        raw:stop()
      end
    end
  end)

  it("changes from one request to the next on the same connection", function()
    raw = sandbox.raw{connections = {{"read_request",
      {"send", answer("Content-Encoding: gzip\r\n", gzipped)}, "read_request",
      {"send", answer("", "plain")}, "read_request",
      {"send", answer("Content-Encoding: gzip\r\n", gzipped)}, "silence"}}}
    for _, expected in ipairs{plain, "plain", plain} do
      local decode = expected == plain
      local result, body = api_calls.finish(core.transfer(endpoint, {url = raw.url,
        decode = decode}, survive.seconds(5)))
      assert.equal(200, result.status)
      assert.equal(expected, body)
      if not survive.keepsConnections then return end
    end
    assert.equal(2, select(2, raw:received(1):gsub("Accept%-Encoding", "")))
  end)

  -- 256 MiB of zeros: 256 KiB when they are compressed, and less than 1 KiB after the second time.
  it("that hides a bomb stops at the limit", function()
    local bomb = files.output_of "head -c 268435456 /dev/zero | gzip -9"
    local result = perform(answer("Content-Encoding: gzip\r\n", bomb), {maxBytes = 100000})
    assert.equal("too_large", result.failure)
    raw:stop()
    local twice = files.output_of "head -c 268435456 /dev/zero | gzip -9 | gzip -9"
    result = perform(answer("Content-Encoding: gzip, gzip\r\n", twice), {maxBytes = 100000})
    assert.is_truthy(result.failure == "too_large" or result.failure == "network")
  end)
end)
