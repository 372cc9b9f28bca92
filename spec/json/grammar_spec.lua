-- FIELD S6, S7: a reply is JSON as RFC 8259 has it, and its lifetime may be written in many ways.
-- csrc/json/grammar.c is held to Python's reader here, as in spec/c/fuzz_grammar.c.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local random = require "spec.support.random"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

local TOKEN = '"accessToken":"canary-token-j"'
local LIFE = '"tokenValiditySec":3600'

-- What each of the bodies comes to: a token, or a problem. One POST each.
local function replies(bodies)
  local steps, results = {}, {}
  for i, body in ipairs(bodies) do steps[i] = {body = body} end
  local scenario = bank:scenario(steps)
  for i in ipairs(bodies) do
    local token, message, problem =
      auth.authenticate(survive.options{baseUrl = scenario.baseUrl, attempts = 1})
    survive.no_canary{message, problem}
    results[i] = token or problem
  end
  assert.equal(#bodies, scenario:posts())
  return results
end

local function reply_to(body) return replies{body}[1] end

local NOT_JSON = "is not one JSON document"

-- "token", or what is wrong.
local function verdict(result)
  if result.accessToken then return "token" end
  return result.message:find(NOT_JSON, 1, true) and "no JSON" or result.code
end

local SEED = "{" .. TOKEN .. "," .. LIFE
  .. ',"x":[-1.5e3,{"y":"\\u00e9\\n \195\169"},true,null]}'
local SPOILERS = {'"', "\\", "\\u", "0", ".", "e", "-", "+", ",", ":", "{", "}", "[", "]", "\t",
  "\n", "\f", "\0", "\127", "\195", "\\u0000", "\\ud800", "\\uDC00", "tru", "NaN", " ", "\r", "//"}

-- So many replies with something in the wrong place.
local function broken_ones(count)
  local generate, bodies = random.generator(), {}
  local function below(n) return math.floor(generate() * n) end
  for i = 1, count do
    local body = SEED
    for _ = 0, below(2) do
      local at = 1 + below(#body)
      body = body:sub(1, at - 1) .. random.pick(generate, SPOILERS) .. body:sub(at + below(3))
    end
    bodies[i] = body
  end
  return bodies
end

-- What the reference says of each: whether it is JSON.
local function judged_by_python(bodies)
  local asked, said = os.tmpname(), {}
  local frames = {}
  for i, body in ipairs(bodies) do
    frames[i] = string.char(0, 0, math.floor(#body / 256), #body % 256) .. body
  end
  files.write(asked, table.concat(frames))
  local line = files.lines_of("python3 spec/c/json_reference.py <" .. files.quoted(asked))[1]
  os.remove(asked)
  assert.equal(#bodies, #line)
  for i = 1, #bodies do said[i] = line:sub(i, i) == "y" end
  return said
end

describe("S6: a reply #transfer", function()
  for name, text in pairs{
    ["a malformed escape in the token"] = '{"accessToken":"ab\\uZZZZcd",' .. LIFE .. "}",
    ["one that is cut short"] = '{"accessToken":"ab\\u12",' .. LIFE .. "}",
    ["an escape that JSON does not have"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":"\\x41"}',
    ["one in another field's name"] = "{" .. TOKEN .. "," .. LIFE .. ',"\\u00g0":1}',
    ["a leading zero"] = "{" .. TOKEN .. ',"tokenValiditySec":03600}',
    ["a point without a fraction"] = "{" .. TOKEN .. ',"tokenValiditySec":3600.}',
    ["a plus"] = "{" .. TOKEN .. ',"tokenValiditySec":+3600}',
    ["a raw tab in a string"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":"a\tb"}',
    ["a raw line feed in a string"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":"a\nb"}',
    ["a raw control character in a name"] = "{" .. TOKEN .. "," .. LIFE .. ',"x\1":1}',
    ["a form feed between"] = "{" .. TOKEN .. ",\f" .. LIFE .. "}",
    ["a raw NUL in a string"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":"\0"}',
    ["a NUL behind it"] = "{" .. TOKEN .. "," .. LIFE .. "}\0",
    ["single quotes"] = "{'accessToken':'abc','tokenValiditySec':3600}",
    ["a comment"] = "{" .. TOKEN .. "," .. LIFE .. "/**/}",
    ["NaN"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":NaN}',
    ["no UTF-8"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":"\233"}',
  } do
    it("with " .. name .. " is no JSON: response, and retried", function()
      local problem = reply_to(text)
      assert.equal("no JSON", verdict(problem))
      assert.equal("response", problem.code)
      assert.is_true(problem.retryable)
    end)
  end

  for name, text in pairs{
    ["an escaped NUL in another field"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":"a\\u0000b"}',
    ["one in another field's name"] = "{" .. TOKEN .. "," .. LIFE .. ',"accessToken\\u0000":"x"}',
    ["half of a surrogate pair elsewhere"] = "{" .. TOKEN .. "," .. LIFE .. ',"x":["\\ud83d"]}',
    ["an escaped name"] = '{"accessToke\\u006e":"canary-token-j","token\\u0056aliditySec":3600}',
    ["a byte order mark before it"] = "\239\187\191{" .. TOKEN .. "," .. LIFE .. "}",
    ["white space wherever JSON has it"] = "\r\n { \t" .. TOKEN .. " ,\n" .. LIFE .. " }\n",
  } do
    it("with " .. name .. " is a token reply", function()
      assert.equal("canary-token-j", reply_to(text).accessToken)
    end)
  end

  it("whose token has an escaped NUL or half a surrogate pair has no usable token", function()
    for _, result in ipairs(replies{
      '{"accessToken":"canary\\u0000-token",' .. LIFE .. "}",
      '{"accessToken":"canary-token\\u0000",' .. LIFE .. "}",
      '{"accessToken":"canary-token\\ud800",' .. LIFE .. "}",
    }) do
      assert.is_truthy(result.message:find("accessToken", 1, true))
    end
    assert.is_truthy(reply_to("{" .. TOKEN .. "," .. LIFE .. ',"tokenType":"Bearer\\u0000"}')
      .message:find("tokenType", 1, true))
    assert.is_truthy(reply_to('{"accessToken\\u0000":"canary-token-j",' .. LIFE .. "}")
      .message:find("accessToken", 1, true))
  end)

  it("with one of our names twice, spelled differently, is refused", function()
    local problem =
      reply_to('{"accessToke\\u006e":"canary-token-1",' .. TOKEN .. "," .. LIFE .. "}")
    assert.is_truthy(problem.message:find("twice", 1, true))
  end)

  it("is JSON exactly when Python's strict reader says so, seed " .. random.seed, function()
    local bodies = broken_ones(400)
    local expected, accepted = judged_by_python(bodies), 0
    for i, result in ipairs(replies(bodies)) do
      assert.equal(expected[i], verdict(result) ~= "no JSON", bodies[i])
      accepted = accepted + (expected[i] and 1 or 0)
    end
    assert.is_true(accepted > 10 and accepted < 390)
  end)
end)

-- A reply with these lifetime fields, as text.
local function lifetime(fields)
  return "{" .. TOKEN .. "," .. fields .. "}"
end

describe("S7: a lifetime #transfer", function()
  local function seconds_of(token) return math.floor(token:remaining() + 0.5) end

  for _, other in ipairs{'"2026-12-01T10:00:00Z"', '"soon"', '""', '" "', "0", '"0"', "-1", "1e400",
    "true", "[]", '{"seconds":1}', '"NaN"', '"0x7fffffff"', "null", '"1.2.3"',
    '"9999999999999999999999"'} do
    it("in tokenValiditySec is enough, with an expirationTime of " .. other, function()
      local token = reply_to(lifetime(LIFE .. ',"expirationTime":' .. other))
      assert.equal(3600, token.tokenValiditySec)
      assert.is_nil(token.expirationTime)
      assert.is_true(math.abs(seconds_of(token) - 3600) <= 2)
    end)
  end

  for _, other in ipairs{'"PT1H"', '"one hour"', '""', "true", "[]", "{}", "1e400", '"Infinity"',
    "null", '"0xE10"', '"3600s"', '"3,600"'} do
    it("in expirationTime is enough, with a tokenValiditySec of " .. other, function()
      local ends = os.time() + 600
      local token =
        reply_to(lifetime(('"expirationTime":%d,"tokenValiditySec":%s'):format(ends, other)))
      assert.equal(ends, token.expirationTime)
      assert.is_nil(token.tokenValiditySec)
      assert.is_true(math.abs(seconds_of(token) - 600) <= 5)
    end)
  end

  for _, text in ipairs{'"3600"', '"3600.0"', '"3600.9"', "3600.9", '" 3600 "', '"\\t3600\\r\\n"',
    '"3.6e3"', '"36E+2"', "3.6e3", '"+3600"', '"03600"',
    '"360000e-2"', '"3600.00000000000000000000000"'} do
    it("of 3600 may be written as " .. text, function()
      assert.equal(3600, reply_to(lifetime('"tokenValiditySec":' .. text)).tokenValiditySec)
    end)
  end

  it("in expirationTime may be written as a string, too, in seconds or milliseconds", function()
    local ends = os.time() + 600
    for _, text in ipairs{'"%d"', '" %d.5 "', '"%d000"', '"%d000.25"', "%d000.25"} do
      local token = reply_to(lifetime('"expirationTime":' .. text:format(ends)))
      assert.is_true(math.abs(seconds_of(token) - 600) <= 5, text)
    end
  end)

  for _, text in ipairs{"0", "-1", "-0.5", "0.4", '"0"', '"-3600"', '" 0.0 "', "-1e300",
    "-1e400"} do
    it("that is over: expired, for a tokenValiditySec of " .. text, function()
      assert.equal("expired", reply_to(lifetime('"tokenValiditySec":' .. text)).code)
    end)
  end

  it("of which nothing can be used is named", function()
    for fields, name in pairs{['"expirationTime":"soon"'] = "no usable expirationTime",
      ['"tokenValiditySec":"1h"'] = "no usable tokenValiditySec",
      ['"tokenValiditySec":"1h","expirationTime":"soon"'] = "no usable tokenValiditySec",
      ['"expirationTime":0'] = "neither",
      ['"expirationTime":-5,"tokenValiditySec":null'] = "neither"} do
      local problem = reply_to(lifetime(fields))
      assert.equal("response", problem.code)
      assert.is_truthy(problem.message:find(name, 1, true), problem.message)
    end
  end)
end)
