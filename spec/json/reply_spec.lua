-- FAULTS, "JSON": which bodies of a 200 are a token reply, and which are not.

local auth = require "corebank.auth"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

local function replied(body, case)
  local scenario = bank:scenario{{body = body}}
  case = case or {code = "response"}
  case.posts = 1
  case.options = {baseUrl = scenario.baseUrl}
  case.count = function() return scenario:posts() end
  return survive.case(case)
end

-- A good reply with fields replaced or (false) left out, as text.
local function reply(changes)
  local fields = {accessToken = '"canary-token-j"', tokenType = '"Bearer"',
    tokenValiditySec = "3600"}
  for name, text in pairs(changes or {}) do fields[name] = text or nil end
  local members = {}
  for name, text in pairs(fields) do members[#members + 1] = ('"%s":%s'):format(name, text) end
  table.sort(members)
  return "{" .. table.concat(members, ",") .. "}"
end

-- A name for a test that is short and printable.
local function shown(text)
  text = text:gsub("[%c\128-\255]", "?"):gsub("canary", "c")   -- a canary must not be printed
  return #text > 50 and text:sub(1, 50) .. "…" or text
end

describe("a reply", function()
  it("cut at every byte position: response", function()
    local whole = '{"accessToken":"canary-token-cut","tokenType":"Bearer",'
      .. '"expirationTime":4102444800000,"tokenValiditySec":3600}'
    local steps = {}
    for length = 0, #whole - 1 do steps[length + 1] = {body = whole:sub(1, length)} end
    steps[#whole + 1] = {body = whole}
    local scenario = bank:scenario(steps)
    for length = 0, #whole - 1 do
      local token, message, problem = auth.authenticate(survive.options{
        baseUrl = scenario.baseUrl})
      assert(token == nil and problem.code == "response", length)
      survive.no_canary{message, problem}
      survive.no_canary(problem:body())
    end
    assert(auth.authenticate(survive.options{baseUrl = scenario.baseUrl}))
    assert.equal(#whole + 1, scenario:posts())
  end)

  for _, body in ipairs{
    reply() .. "garbage", reply() .. reply(), "[" .. reply() .. "]", '"text"', "null", "not json",
    "[" .. ("["):rep(50000), ('{"a":'):rep(1001) .. "1" .. ("}"):rep(1001),
    reply{note = ("["):rep(1001) .. ("]"):rep(1001)}, "{" .. reply(), "\239\187",
    reply{note = '"\255"'}, reply{note = '"\192\128"'}, reply{note = '"\237\160\128"'},
    reply() .. "\0",
  } do
    it("that is no single JSON object: response: " .. shown(body), function() replied(body) end)
  end

  it("of five million brackets: too_large, and the stack does not grow", function()
    replied(("["):rep(5000000), {code = "too_large"})
  end)

  it("is named for what is wrong with it", function()
    replied(reply{accessToken = "1"}, {code = "response", message = "accessToken"})
    replied(reply{tokenType = "1"}, {code = "response", message = "tokenType"})
    replied(reply{tokenValiditySec = false, expirationTime = "true"},
      {code = "response", message = "expirationTime"})
    replied(reply{tokenValiditySec = "true"}, {code = "response", message = "tokenValiditySec"})
    replied(reply{tokenValiditySec = false}, {code = "response", message = "neither"})
  end)

  it("may have other fields", function()
    replied(reply{scope = '"all"', nested = '{"accessToken":"inner","a":[1,{"b":null}]}',
      ["accessToken2"] = '"x"'}, {})
  end)

  it("may be spread out", function()
    replied(" \r\n\t" .. reply():gsub(",", " ,\n") .. "\n ", {})
  end)
end)

describe("accessToken", function()
  for _, text in ipairs{false, "null", "17", "{}", "[]", '""', "true", '"="', '"a b"', '"a=b"',
    '"a\\u0000b"', '"a\\r\\nX-Evil: 1"', '"a\r\nX-Evil: 1"', '"a\0b"', '"tökén"', '"a\\"b"'} do
    it("of " .. shown(tostring(text)) .. ": response", function()
      replied(reply{accessToken = text})
    end)
  end

  it("is taken by its exact name only", function()
    local token = replied('{"ACCESSTOKEN":"wrong","AccessToken":"wrong","accessToken":"right",'
      .. '"tokenValiditySec":9}', {})
    assert.equal("right", token.accessToken)
    replied(reply{accessToken = false, ACCESSTOKEN = '"wrong"'})
  end)

  it("given twice: response, also by an escaped name", function()
    replied('{"accessToken":"a","accessToken":"b","tokenValiditySec":9}')
    replied('{"accessToken":"a","access\\u0054oken":"b","tokenValiditySec":9}')
    replied('{"accessToken":"a","tokenValiditySec":9,"tokenValiditySec":9}')
  end)

  it("of every allowed character, escaped or not, arrives as it is", function()
    local all = "abcXYZ0189-._~+/=="
    assert.equal(all, replied(reply{accessToken = '"' .. all .. '"'}, {}).accessToken)
    local escaped = all:gsub("/", "\\/"):gsub("a", "\\u0061")
    local token = replied(reply{accessToken = '"' .. escaped .. '"'}, {})
    assert.equal(all, token.accessToken)
    assert.equal("Bearer " .. all, token:header())
  end)

  it("that spells a NUL escape behind a backslash is judged as what it says", function()
    replied(reply{accessToken = '"a\\\\u0000"'})   -- a backslash is no b64token character
    replied(reply{note = '"a\\\\u0000"'}, {})      -- but fine elsewhere
  end)

  it("of 8 KiB is taken, of 1 MiB is too_large", function()
    local token = replied(reply{accessToken = '"' .. ("k"):rep(8192) .. '"'}, {})
    assert.equal(8192, #token.accessToken)
    replied(reply{accessToken = '"' .. ("k"):rep(1048576) .. '"'}, {code = "too_large"})
  end)
end)

describe("tokenType", function()
  for _, text in ipairs{false, "null", '"bearer"', '"BEARER"', '"Bearer"'} do
    it("of " .. tostring(text) .. ": Bearer", function()
      local token = replied(reply{tokenType = text}, {})
      assert.equal("Bearer", token.tokenType)
      assert.equal("Bearer " .. token.accessToken, token:header())
    end)
  end

  for _, text in ipairs{'"mac"', "1", '""', '"Bearer "', '"Bearer\\r\\nX: 1"', "[]"} do
    it("of " .. text .. ": response", function() replied(reply{tokenType = text}) end)
  end
end)

describe("tokenValiditySec", function()
  for text, code in pairs{["0"] = "expired", ["-1"] = "expired", ["-0.5"] = "expired",
    ["1e309"] = "response", ["true"] = "response", ["{}"] = "response", ['"-5"'] = "expired",
    ['"3600s"'] = "response", ['""'] = "response",
    ['"0"'] = "expired", [("9"):rep(100)] = "response", ['"' .. ("9"):rep(100) .. '"'] = "response",
    ["9007199254740993"] = "response"} do
    it(("of %s: %s"):format(shown(text), code), function()
      replied(reply{tokenValiditySec = text}, {code = code})
    end)
  end

  for text, seconds in pairs{["3600"] = 3600, ['"3600"'] = 3600, ["36e2"] = 3600, ["60.9"] = 60} do
    it(("of %s: %d seconds"):format(text, seconds), function()
      local token = replied(reply{tokenValiditySec = text}, {})
      assert.equal(seconds, token.tokenValiditySec)
      assert.is_true(token:remaining() <= seconds and token:remaining() > seconds - 5)
    end)
  end

  it("of null is as absent", function()
    replied(reply{tokenValiditySec = "null"})
    local ends = os.time() + 600
    local token = replied(reply{tokenValiditySec = "null", expirationTime = tostring(ends)}, {})
    assert.is_nil(token.tokenValiditySec)
    assert.is_true(math.abs(token:remaining() - 600) < 5)
  end)

  it("of 100 years is cut to 7 days", function()
    local token = replied(reply{tokenValiditySec = "3153600000"}, {})
    assert.is_true(token:remaining() <= 7 * 86400)
  end)
end)
