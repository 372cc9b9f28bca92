-- R8, R13, R14: what auth.json.decode makes of JSON, and what it says of a text that it refuses.

local auth = require "corebank.auth"
local decode, encode = auth.json.decode, auth.json.encode

-- The message that refuses a text, which shows nothing of it.
local function refused(text, options)
  local value, message = decode(text, options)
  assert.is_nil(value)
  assert.is_nil(message:find("canary", 1, true), message)
  return message
end

local function raised(...)
  local ok, message = pcall(decode, ...)
  assert.is_false(ok)
  return (message:gsub("^.-json%.decode: ", ""))
end

describe("auth.json.decode", function()
  it("reads arrays, objects, words and strings", function()
    assert.same({1, "two", true, false, auth.null, {}, {a = {b = {{c = 1}}}}},
      decode '[1,"two",true,false,null,[],{"a":{"b":[{"c":1}]}}]')
    assert.equal("text", decode '"text"')
    assert.is_false(decode "false")
    assert.equal(auth.null, decode "null")
    assert.same({a = 1, b = {2}}, decode " \r\n{ \"a\" :\t1 , \"b\":[ 2 ] } ")
    assert.same({1}, decode "\239\187\191[1]")
  end)

  it("returns one value", function()
    assert.equal(1, select("#", decode "1"))
  end)

  it("marks arrays, so that they are written as they were read", function()
    for _, text in ipairs{"[]", "{}", "[[],{}]", '{"a":[]}', '[null,1,"x",[[]]]'} do
      assert.equal(text, encode(decode(text)))
    end
    assert.equal(getmetatable(auth.array{}), getmetatable(decode "[1]"))
    assert.is_nil(getmetatable(decode "{}"))
  end)

  it("reads every escape", function()
    assert.equal("\"\\/\b\f\n\r\té€🏦A", decode [["\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83c\udfe6\u0041"]])
  end)

  it("keeps an escaped NUL, in names too", function()
    assert.equal("\0", decode [["\u0000"]])
    assert.equal("a\0b\0", decode [["a\u0000b\u0000"]])
    assert.equal("\\u0000", decode [["\\u0000"]])
    assert.equal("\\\0u0000", decode [["\\\u0000u0000"]])
    assert.same({["a\0"] = 1, a = 2, ["a\0\0"] = 3},
      decode [[{"a\u0000":1,"a":2,"a\u0000\u0000":3}]])
    assert.equal([["a\u0000"]], encode(decode [["a\u0000"]]))
  end)

  it("reads half of a surrogate pair as U+FFFD", function()
    assert.equal("\239\191\189", decode [["\ud800"]])
    assert.equal("\239\191\189x\239\191\189🏦", decode [["\udc00x\ud83d\ud83c\udfe6"]])
  end)

  it("refuses a name that an object has twice", function()
    assert.equal("at byte 8 the text has a name twice in one object", refused '{"a":1,"a":2}')
    assert.equal("at byte 16 the text has a name twice in one object",
      refused [[{"canary":null,"canar\u0079":2}]])
    assert.equal("at byte 13 the text has a name twice in one object",
      refused '[0,{"a\\"":1,"a\\"":1}]')
    assert.same({a = {a = 1}, b = {a = 1}}, decode '{"a":{"a":1},"b":{"a":1}}')
  end)

  it("reads 100 levels", function()
    assert.equal(("["):rep(100) .. ("]"):rep(100),
      encode(decode(("["):rep(100) .. ("]"):rep(100))))
    for _, text in ipairs{("["):rep(101) .. ("]"):rep(101), ("["):rep(101), ("["):rep(1000000)} do
      assert.equal("at byte 101 the text nests deeper than 100 levels", refused(text))
    end
    assert.equal("at byte 501 the text nests deeper than 100 levels",
      refused(('{"a":'):rep(101) .. "1" .. ("}"):rep(101)))
  end)

  for text, message in pairs{
    [""] = "the text is empty",
    [" "] = "the text ends before its JSON does, at byte 2",
    ['{"a":'] = "the text ends before its JSON does, at byte 6",
    ['["canary'] = "the text ends before its JSON does, at byte 9",
    ["[1,]"] = "at byte 4 the text ceases to be JSON (RFC 8259)",
    ["<html>canary</html>"] = "at byte 1 the text ceases to be JSON (RFC 8259)",
    ["{} {}"] = "at byte 4 the text ceases to be JSON (RFC 8259)",
    ['"canary\n"'] = "at byte 8 the text ceases to be JSON (RFC 8259)",
    ['"\195canary"'] = "at byte 2 the text ceases to be JSON (RFC 8259)",
    ["[1, nul]"] = "at byte 5 the text ceases to be JSON (RFC 8259)",
    ["[1 2]"] = "at byte 4 the text ceases to be JSON (RFC 8259)",
  } do
    it("says where it is no JSON: " .. message, function() assert.equal(message, refused(text)) end)
  end

  it("says nothing of JSON that is cut anywhere", function()
    local whole = '{"canary":["canary\\u0041",-1.5e3,{"x":[true,null]},"é"]}'
    assert.is_truthy(decode(whole))
    for length = 0, #whole - 1 do refused(whole:sub(1, length)) end
  end)

  it("takes memory by the entries and not by the numbers in them", function()
    collectgarbage()
    local before = collectgarbage "count"
    assert.same({["1000000000"] = 1}, decode '{"1000000000":1}')
    assert.is_true(collectgarbage "count" - before < 100)
  end)

  it("reads long arrays and objects", function()
    local list, members = {}, {}
    for i = 1, 20000 do
      list[i] = i
      members[i] = ('"n%d":%d'):format(i, i)
    end
    assert.same(list, decode(encode(list)))
    local object = decode("{" .. table.concat(members, ",") .. "}")
    for i = 1, 20000 do assert.equal(i, object["n" .. i]) end
  end)

  it("raises for what is no string, and for options that are none", function()
    assert.equal("a string is needed, not nil", raised(nil))
    assert.equal("a string is needed, not number", raised(17))
    assert.equal("the options must be a table, not string", raised("1", "string"))
    assert.equal('bigNumbers must be "string"', raised("1", {bigNumbers = true}))
    assert.equal("unknown option 'bignumbers'; there is only bigNumbers",
      raised("1", {bignumbers = "string"}))
    assert.equal("unknown option '1'; there is only bigNumbers", raised("1", {"string"}))
    local line = debug.getinfo(1, "l").currentline + 1
    local _, message = pcall(function() return (decode()) end)
    assert.matches("decode_spec%.lua:" .. line .. ": json%.decode: ", message)
  end)
end)
