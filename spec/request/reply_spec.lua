-- What a reply is: headers in any case, JSON, no body; in a world without sockets.

local auth = require "corebank.auth"
local fake = require "spec.support.fake"

local function reply_of(given)
  local kept, world = fake.keep(fake.steady(3600))
  world.api = function() return given end
  local reply
  world.call(function() reply = assert(kept:request{path = "/a"}) end)
  world.pass(1)
  return reply
end

describe("a reply", function()
  it("has its headers in any case, lines of one name joined", function()
    local headers = reply_of{headers = "Content-Type: text/plain\nX-A: 1\nx-a: 2\n"
      .. "Set-Cookie: a=b, c: d\nSet-Cookie: d=e\nX-Empty: \n"}.headers
    assert.equal("text/plain", headers["content-type"])
    assert.equal("text/plain", headers["CONTENT-Type"])
    assert.equal("1, 2", headers["X-A"])
    assert.equal("a=b, c: d\nd=e", headers["set-cookie"])
    assert.equal("", headers["x-empty"])
    assert.is_nil(headers["X-B"])
    assert.is_nil(headers[1])
  end)

  it("is ok from 200 to 299", function()
    for status, ok in pairs{[200] = true, [204] = true, [299] = true, [300] = false, [404] = false,
      [500] = false} do
      assert.equal(ok, reply_of{status = status}.ok, status)
    end
  end)

  it("shows nothing of its body", function()
    assert.equal("reply 200, 12 bytes", tostring(reply_of{body = "canary-token"}))
  end)

  it("has the number by which the bank knows it", function()
    assert.equal("r-1", reply_of{requestId = "r-1"}.requestId)
    assert.is_nil(reply_of{}.requestId)
  end)
end)

describe("the JSON of a reply", function()
  it("is a Lua value", function()
    local value = assert(reply_of{body = '{"a":[1,null,{}],"b":19.95}'}:json())
    assert.same({1, auth.null, {}}, {value.a[1], value.a[2], value.a[3]})
    assert.equal(19.95, value.b)
    assert.equal(false, reply_of{body = "false"}:json())
    assert.equal(auth.null, reply_of{body = "null"}:json())
    assert.equal("[]", auth.json.encode(assert(reply_of{body = "[]"}:json())))
  end)

  it("R15: is none of an empty body, with a reason", function()
    local value, reason = reply_of{status = 204}:json()
    assert.is_nil(value)
    assert.equal("the reply has no body", reason)
  end)

  it("is none of what is no JSON", function()
    for _, body in ipairs{"<html>", '{"a":1', '{"a":1,"a":2}', "\255"} do
      local value, reason = reply_of{body = body}:json()
      assert.is_nil(value)
      assert.is_string(reason)
    end
  end)

  it("R8: loses no digit, and gives those that no number holds when asked to", function()
    local reply = reply_of{body = '{"id":12345678901234567890.12,"n":100.00}'}
    assert.is_nil((reply:json()))
    assert.equal("12345678901234567890.12", reply:json{bigNumbers = "string"}.id)
    assert.equal(100, reply:json{bigNumbers = "string"}.n)
  end)

  it("takes no other options", function()
    local ok, message = pcall(function()
      return (reply_of{body = "{}"}:json{bigNumber = "string"})
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find "reply_spec.lua:%d+: json: unknown option 'bigNumber'", message)
  end)
end)
