-- R7, R8: numbers of auth.json: which are taken, and how they are written. Amounts of money are not
-- rounded in silence. Python's arithmetic of decimals is the reference.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local random = require "spec.support.random"
local decode, encode = auth.json.decode, auth.json.encode

local HAS_INTEGERS = tostring(1e3):find("%.") ~= nil
local BIG = {bigNumbers = "string"}

-- Numbers that a double does not hold, and neither does a 64-bit integer.
local UNFIT = {"12345678901234567890.12", "0.10000000000000000001", "100000000000000000000000.01",
  "9223372036854775808123", "-12345678901234567891", "1e400", "-1E+400", "1e-400",
  "1e99999999999999999999", "1e-99999999999999999999", ("9"):rep(400), ("1"):rep(5000),
  "0." .. ("3"):rep(40), "4.95e-324"}

-- Whole numbers that only 64 bits hold.
local LONG = {"9007199254740993", "-9007199254740993", "9223372036854775807",
  "-9223372036854775807", "1234567890123456789", "9007199254740993.0", "9007199254740993e0",
  "900719925474099300e-2"}

describe("auth.json.encode of a number", function()
  for text, value in pairs{
    ["5"] = 5.0, ["0"] = 0, ["-7"] = -7, ["1000000000000000"] = 1e15,
    ["9007199254740991"] = 2 ^ 53 - 1, ["-9007199254740991"] = 1 - 2 ^ 53,
    ["19.95"] = 19.95, ["0.1"] = 0.1, ["-0.25"] = -0.25, ["1e+20"] = 1e20, ["1e-07"] = 1e-7,
    ["0.30000000000000004"] = 0.1 + 0.2, ["4.94065645841247e-324"] = 5e-324,
    ["1.7976931348623157e+308"] = 1.7976931348623157e308,
  } do
    it("writes " .. text, function()
      assert.equal(text, encode(value))
      assert.equal(value, decode(text))
    end)
  end

  it("reads back the same, seed " .. random.seed, function()
    local generate = random.generator()
    for _ = 1, 5000 do
      local value = (generate() - 0.5) * 10 ^ math.floor(generate() * 600 - 300)
      local cents = math.floor(generate() * 1e12) / 100
      local ok = value == decode(encode(value)) and cents == decode(encode(cents))
        and #encode(cents) <= 14
      assert(ok, value .. ", " .. cents)
    end
  end)

  it("keeps the sign of a zero", function()
    assert.equal("-0", encode(-0.0))
    assert.equal(-math.huge, 1 / decode "-0")
    assert.equal(math.huge, 1 / decode "0")
  end)

  it("writes integers in full", function()
    if not HAS_INTEGERS then return end
    assert.equal("[9007199254740993,9223372036854775807,-9223372036854775808]",
      encode{9007199254740993, 9223372036854775807, -9223372036854775807 - 1})
  end)
end)

describe("auth.json.decode of a number", function()
  it("compares the value and not how it is written", function()
    for text, value in pairs{["100.00"] = 100, ["1.10"] = 1.1, ["1e2"] = 100, ["1E+2"] = 100,
      ["0.1000000000000000000000"] = 0.1, ["100000000000000000000e-18"] = 100, ["0e999999"] = 0,
      ["0.0"] = 0, ["9007199254740992"] = 2 ^ 53, ["9007199254740994"] = 2 ^ 53 + 2,
      ["18446744073709551616"] = 2 ^ 64, ["1e22"] = 1e22, ["1" .. ("0"):rep(300)] = 1e300,
      ["0." .. ("0"):rep(299) .. "1"] = 1e-300, ["0.30000000000000004"] = 0.1 + 0.2,
      ["5e-324"] = 5e-324, ["2.2250738585072014e-308"] = 2.2250738585072014e-308} do
      assert.equal(value, decode(text), text)
      assert.equal(-value, decode("-" .. text), text)
      assert.equal(value, decode(text, BIG), text)
    end
  end)

  it("makes whole values integers where there are any, however they are written", function()
    if not HAS_INTEGERS then return end
    for _, text in ipairs{"100", "100.00", "1e2", "0", "-9223372036854775808"} do
      assert.is_nil(tostring(decode(text)):find "[.e]", text)
    end
    for _, text in ipairs{"100.5", "-0", "1e22", "1e17"} do
      assert.is_truthy(tostring(decode(text)):find "[.e]", text)
    end
  end)

  it("takes a whole number of 64 bits where integers have them, and only there", function()
    assert.equal(HAS_INTEGERS and 9007199254740993 or nil, (decode "9007199254740993"))
    for _, text in ipairs(LONG) do
      assert.equal(HAS_INTEGERS, decode(text) ~= nil, text)
      assert.equal(HAS_INTEGERS and "number" or "string", type(decode(text, BIG)), text)
      assert.is_true(not HAS_INTEGERS or encode(decode(text)) == text or text:find "[.e]" ~= nil)
    end
  end)

  it("refuses what no number holds, and says where it is", function()
    for _, text in ipairs(UNFIT) do
      local value, message = decode('{"amount": ' .. text .. "}")
      assert.is_nil(value, text)
      assert.equal("at byte 12 the text has a number that no Lua number holds; with "
        .. 'bigNumbers = "string" it is a string of its digits', message)
    end
  end)

  it("gives its digits with bigNumbers", function()
    for _, text in ipairs(UNFIT) do
      assert.same({1, text, "x", 2.5}, decode("[1," .. text .. ',"x",2.5]', BIG))
    end
  end)

  it("finds each one in its place, among strings that look like some", function()
    assert.same({"1", 2, ["3"] = nil, a = {["4\"5"] = 6.5, b = "7\\"}, 8},
      (function() local list = decode [=[["1",2,{"4\"5":6.5,"b":"7\\"},8]]=]
        return {list[1], list[2], a = list[3], list[4]} end)())
  end)

  -- A number's text of one of many kinds.
  local function some_number(generate)
    local function digits(most)
      local list = {}
      for i = 1, math.ceil(generate() * most) do list[i] = math.floor(generate() * 10) end
      return table.concat(list)
    end
    local text = digits(random.pick(generate, {3, 16, 18, 25})):gsub("^0+(.)", "%1")
    if generate() < 0.5 then text = text .. "." .. digits(random.pick(generate, {2, 15, 25})) end
    if generate() < 0.3 then
      text = text .. random.pick(generate, {"e", "E+", "e-"})
        .. digits(random.pick(generate, {2, 3}))
    end
    return (generate() < 0.3 and "-" or "") .. text
  end

  it("takes those that Python's decimals find in a double or in 64 bits, seed " .. random.seed,
    function()
      local generate, asked, texts = random.generator(), os.tmpname(), {}
      for i = 1, 3000 do texts[i] = some_number(generate) end
      files.write(asked, table.concat(texts, "\n") .. "\n")
      local said = files.lines_of("python3 spec/json/number_reference.py <" .. files.quoted(asked))
      os.remove(asked)
      assert.equal(#texts, #said)
      local taken = 0
      for i, text in ipairs(texts) do
        local whole, double = said[i]:match "^(%a+) (.+)$"
        local value = decode(text)
        local fits = double ~= "none" or HAS_INTEGERS and whole == "yes"
        assert.equal(fits, value ~= nil, text)
        if HAS_INTEGERS and whole == "yes" and not text:find "[.eE]" then
          assert.equal(text, encode(value))
        elseif double ~= "none" then
          assert.equal(tonumber(double), value, text)
        end
        if fits then taken = taken + 1 end
      end
      assert.is_true(taken > 300 and taken < 2700)
    end)
end)
