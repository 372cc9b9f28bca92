-- Which texts auth.json.decode takes: cases of every rule of RFC 8259, in the manner of the public
-- suites: y, taken; n, refused. Python's strict reader is the reference for broken texts.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local random = require "spec.support.random"
local decode, encode = auth.json.decode, auth.json.encode

local GOOD = {
  array = {"[]", "[ ]", "[1]", "[1 , 2]", "[[],[[]]]", "[null]", '[""]', " [1]", "[1]\n",
    '[{"a":[{}]}]', "[1,null,true,false]"},
  object = {"{}", "{ }", '{"":0}', '{"a":{}}', '{"a" : 1 , "b" : [ ] }', '{"a\\u0000b":1}',
    '{"a":1,"A":2,"a ":3}', "{\"\\\\\":1,\"\\\"\":2}", '{"é":1,"e\204\129":2}'},
  number = {"0", "-0", "10", "123", "-1", "0.5", "-0.5", "1.0", "1e1", "1E1", "1e+1", "1e-1", "0e0",
    "0E+1", "123.456e78", "-1.5E-3", "1e0001", "0.000001", "20e1"},
  string = {'""', '"a"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u0041\\uABCD\\uabcd"',
    '"\\ud83d\\ude00"', '"\127"', '"é€🏦"', '"\239\191\191"', '"\244\143\191\191"', '"\\u0000"',
    '"\\uFFFE"', '"/"', '"\194\128"', "\"'\"", '"\239\187\191"', '"\226\128\168"'},
  word = {"true", "false", "null", " true ", "\tnull\r\n"},
}

local BAD = {
  document = {"", " ", "\0", "[]\0", "[1][2]", "1 2", "[] x", "{}{}", "\239\187\191", "\254\255[]",
    "[]\255", "\f[]", "[]\v", "\194\160[]", "/**/[]", "[]//", "#\n[]", "<a/>", "\226\129\160[]",
    "[\0]", " \239\187\191[]"},
  array = {"[", "]", "[[]", "[]]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[1:2]", "[1",
    "[1,", "(1)", "[}", "[1}", '["a"', "[\f]", "[1\1]", "[*]", "[x]"},
  object = {"{", "}", "{]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1,,"b":2}', '{:1}', "{1:1}",
    "{a:1}", "{'a':1}", '{"a" "b"}', '{"a"::1}', '{"a":1 "b":2}', '{"a":1', '{"a":1]', '{"a"=1}',
    "{null:1}", '{"a":1;"b":2}', '{"a":"a" 1}', '{[]:1}', '{"a":1}}', '{"a":1,"a":1}'},
  number = {"-", "+1", "01", "-01", "00", ".5", "-.5", "1.", "-1.", "1.e1", "1e", "1e+", "1e-",
    "1E", "1e1.5", "1.2.3", "0x10", "0b1", "0o7", "1_000", "1,5", "- 1", "--1", "++1", "1+", "1-2",
    "1f", "NaN", "-NaN", "nan", "Infinity", "-Infinity", "inf", "1e 5",
    "1 .5", "-a", "\239\188\145",
    "1\0", "2.e-3", "0e", "0e+", "-0.", "1/2", "1l", "1e99999"},
  string = {'"', '"a', 'a"', "'a'", '"\t"', '"\n"', '"\0"', '"\31"', '"\\"', '"\\a"', '"\\x41"',
    '"\\0"', '"\\v"', '"\\\'"', '"\\u"', '"\\u1"', '"\\u12"', '"\\u123"', '"\\u123g"', '"\\U0041"',
    '"\\u 041"', '"\\u+041"', '"\\ud83d\\u"', '"\\ud83d\\ude0"', '"\\\n"', '"\\é"', '"\128"',
    '"\192\128"', '"\224\128\128"', '"\237\160\128"', '"\240\128\128\128"', '"\244\144\128\128"',
    '"\245\128\128\128"', '"\195"', '"\226\130"', '"\195("', '"\252\131\191\191\191\191"', '"\254"',
    '"a" "b"', '"a"b', "`a`", '\\"a\\"', '"\\ud800\\'},
  word = {"True", "TRUE", "tru", "truee", "nul", "nulll", "NULL", "nil", "undefined", "fals", "yes",
    "t", "true false", "truefalse", "none", "tr\195\188e"},
}

local function for_each(cases, check)
  for rule, texts in pairs(cases) do
    for _, text in ipairs(texts) do check(rule, text) end
  end
end

describe("auth.json.decode takes what is JSON:", function()
  for rule, texts in pairs(GOOD) do
    it(rule, function()
      for _, text in ipairs(texts) do
        for _, whole in ipairs{text, "[" .. text .. "]", '{"x":' .. text .. "}", " " .. text} do
          local value, message = decode(whole)
          assert.is_true(value ~= nil, ("%q: %s"):format(whole, tostring(message)))
          assert.same(value, decode(encode(value)))
        end
      end
    end)
  end
end)

describe("auth.json.decode refuses what is none:", function()
  for rule, texts in pairs(BAD) do
    it(rule, function()
      for _, text in ipairs(texts) do
        local value, message = decode(text)
        assert.is_nil(value, ("%q"):format(text))
        assert.matches("byte %d+", #text > 0 and message or "byte 1")
        -- Within another text it is none either, but for what that completes.
        if rule == "number" or rule == "word" then
          assert.is_true(text == "1,5" or decode("[" .. text .. "]") == nil, text)
        end
      end
    end)
  end
end)

describe("auth.json.decode of texts with something in the wrong place", function()
  local SPOILERS = {'"', "\\", "\\u", "0", ".", "e", "-", "+", ",", ":", "{", "}", "[", "]",
    "\t", "\n", "\f", "\0", "\127", "\195", "\\u0000", "\\ud800", "\\uDC00", "tru", "NaN", " ",
    "\r", "//"}

  local function broken_ones(count)
    local generate, texts, seeds = random.generator(), {}, {}
    for_each(GOOD, function(_, text) seeds[#seeds + 1] = text end)
    table.sort(seeds)
    for i = 1, count do
      local text = ('{"k":%s,"l":[%s,-1.5e3]}'):format(random.pick(generate, seeds),
        random.pick(generate, seeds))
      local at = 1 + math.floor(generate() * #text)
      texts[i] = text:sub(1, at - 1) .. random.pick(generate, SPOILERS)
        .. text:sub(at + math.floor(generate() * 3))
    end
    return texts
  end

  it("says what Python's strict reader says, seed " .. random.seed, function()
    local texts, frames, asked = broken_ones(2000), {}, os.tmpname()
    for i, text in ipairs(texts) do
      frames[i] = string.char(0, 0, math.floor(#text / 256), #text % 256) .. text
    end
    files.write(asked, table.concat(frames))
    local said =
      files.lines_of("python3 spec/c/json_reference.py <" .. files.quoted(asked))[1]
    os.remove(asked)
    assert.equal(#texts, #said)
    for i, text in ipairs(texts) do
      local value, message = decode(text, {bigNumbers = "string"})
      -- Names that an object has twice are no matter of the grammar.
      local taken = value ~= nil or message:find("twice", 1, true) ~= nil
      assert.equal(said:sub(i, i) == "y", taken, text)
    end
  end)
end)
