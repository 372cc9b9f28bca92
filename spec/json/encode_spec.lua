-- R7, R13, R14: what auth.json.encode writes, and what it refuses.

local auth = require "corebank.auth"
local encode = auth.json.encode

local HAS_CJSON, cjson = pcall(require, "cjson")

-- `levels` tables within each other.
local function nested(levels)
  local value = auth.array{}
  for _ = 2, levels do value = {value} end
  return value
end

-- The message that refuses a value; what the value holds is not in it.
local function refused(value)
  local ok, message = pcall(encode, value)
  assert.is_false(ok)
  assert.is_nil(message:find("canary", 1, true), message)
  return (message:gsub("^.-json%.encode: ", ""))
end

describe("auth.json.encode", function()
  it("writes arrays, objects, words and strings", function()
    assert.equal('[1,"two",true,false,null,[],{}]',
      encode{1, "two", true, false, auth.null, auth.array{}, {}})
    assert.equal('{"a":{"b":[{"c":1}]}}', encode{a = {b = {{c = 1}}}})
    assert.equal('"text"', encode "text")
    assert.equal("false", encode(false))
    assert.equal("null", encode(auth.null))
    assert.equal('{"":1}', encode{[""] = 1})
  end)

  it("writes an empty table as an object, and one that auth.array marks as an array", function()
    assert.equal("{}", encode{})
    assert.equal("[]", encode(auth.array{}))
    assert.equal("[1,2]", encode(auth.array{1, 2}))
    assert.equal("[]", encode(auth.array(auth.array{})))
    local list = {}
    assert.equal(list, auth.array(list))
  end)

  it("takes no table with another metatable for an array", function()
    local list = setmetatable({}, {})
    assert.has_error(function() auth.array(list) end, "array: the table has a metatable")
    assert.equal("{}", encode(list))
    assert.has_error(function() auth.array "x" end, "array: a table is needed, not string")
  end)

  it("escapes what must be, and nothing else", function()
    assert.equal([["\"\\/\b\f\n\r\t\u0000\u0001\u001f]] .. "\127é€🏦\226\128\168" .. '"',
      encode "\"\\/\b\f\n\r\t\0\1\31\127é€🏦\226\128\168")
    assert.equal([[{"a\u0000\"":1}]], encode{['a\0"'] = 1})
    assert.equal('"' .. ("x"):rep(100000) .. '"', encode(("x"):rep(100000)))
  end)

  it("takes the null of other libraries, as they take ours", function()
    if HAS_CJSON then
      assert.equal(cjson.null, auth.null)
      assert.equal("[null]", encode{cjson.null})
      assert.equal("[null]", cjson.encode{auth.null})
    end
    assert.equal("userdata", type(auth.null))
  end)

  it("reads tables without their metatables", function()
    local list = setmetatable({a = 1}, {__index = {b = 2}, __pairs = function() error "called" end,
      __len = function() error "called" end, __tostring = function() error "called" end})
    assert.equal('{"a":1}', encode(list))
  end)

  it("writes the same table twice where it stands twice", function()
    local shared = {1}
    assert.equal("[[1],[1]]", encode{shared, shared})
  end)

  it("writes 100 levels", function()
    assert.equal(("["):rep(100) .. ("]"):rep(100), encode(nested(100)))
    assert.equal("value nests deeper than 100 levels", refused(nested(101)))
  end)

  for what, case in pairs{
    ["NaN"] = {{amounts = {1, 2, 0 / 0}},
      "value.amounts[3] is not a number (NaN), which JSON does not have"},
    ["infinity"] = {{-math.huge}, "value[1] is infinite, which JSON does not have"},
    ["nil"] = {nil, "value is nil; null is auth.null"},
    ["a hole"] = {{list = {1, nil, 3}},
      "value.list[2] is missing, though later entries are there; null is auth.null"},
    ["a huge index"] = {{[1e9] = 1},
      "value[1] is missing, though later entries are there; null is auth.null"},
    ["an array with a hole"] = {auth.array{[2] = "canary"},
      "value[1] is missing, though later entries are there; null is auth.null"},
    ["names and indexes"] = {{{"canary", a = 1}}, "value[1] has both names and indexes"},
    ["an array with names"] = {auth.array{a = 1}, "value is marked by auth.array, but has names"},
    ["index 0"] = {{[0] = 1}, "value has a key that is neither a name nor an index from 1 on"},
    ["a fraction as index"] = {{a = {[1.5] = 1}},
      "value.a has a key that is neither a name nor an index from 1 on"},
    ["a boolean as key"] = {{[true] = 1, a = 1},
      "value has a key that is neither a name nor an index from 1 on"},
    ["a table as key"] = {{[{}] = 1},
      "value has a key that is neither a name nor an index from 1 on"},
    ["a function"] = {{f = print}, "value.f is a function, which JSON does not have"},
    ["a thread"] = {coroutine.create(function() end),
      "value is a thread, which JSON does not have"},
    ["a userdata"] = {{io.stdout}, "value[1] is a userdata, which JSON does not have"},
    ["a string that is no UTF-8"] = {{note = "canary \255"}, "value.note is not UTF-8"},
    ["half of a surrogate pair"] = {"\237\160\128", "value is not UTF-8"},
    ["a name that is no UTF-8"] = {{a = {["canary\128"] = 1}},
      "value.a has a name that is not UTF-8"},
    ["a name that is no word"] = {{["canary-x"] = {0 / 0}},
      "value[?][1] is not a number (NaN), which JSON does not have"},
    ["a name that may be a token"] = {{[("canary0"):rep(5)] = {print}},
      "value[?][1] is a function, which JSON does not have"},
  } do
    it("refuses " .. what, function() assert.equal(case[2], refused(case[1])) end)
  end

  it("refuses a cycle", function()
    local value = {a = {}}
    value.a.b = {value.a}
    assert.equal("value.a.b[1] contains itself", refused(value))
    value = {}
    value[1] = value
    assert.equal("value[1] contains itself", refused(value))
  end)

  it("raises at the caller's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, message = pcall(function() local text = encode{print} return text end)
    assert.matches("encode_spec%.lua:" .. line .. ": json%.encode: value%[1%] is", message)
  end)

  it("does not show a token's secret", function()
    local secret = require "corebank.auth.core".secret "canary-secret-json"
    assert.matches("^value%.s is a userdata", refused{s = secret})
    secret:close()
  end)

  it("takes memory by the entries and not by the indexes", function()
    local value = {}
    for i = 1, 1000 do value[i * 1000003] = true end
    collectgarbage()
    local before = collectgarbage "count"
    refused(value)
    assert.is_true(collectgarbage "count" - before < 100)
  end)
end)
