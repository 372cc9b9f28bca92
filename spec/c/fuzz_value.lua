-- What fuzz_lua.c calls with any bytes: auth.json reads them as JSON and writes them as a string.
-- What is read is written, and reads back the same; no message shows the text.

local auth = require "corebank.auth"
local decode, encode = auth.json.decode, auth.json.encode

local BIG = {bigNumbers = "string"}

local function same(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other and type(one) == type(other)
  end
  if getmetatable(one) ~= getmetatable(other) then return false end
  for key, value in pairs(one) do
    if not same(value, other[key]) then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

local PROMISED = {
  "^the text is empty$",
  "^the text ends before its JSON does, at byte %d+$",
  "^at byte %d+ the text ceases to be JSON %(RFC 8259%)$",
  "^at byte %d+ the text nests deeper than 100 levels$",
  "^at byte %d+ the text has a name twice in one object$",
}
local UNFIT = "^at byte %d+ the text has a number that no Lua number holds"

local function is_promised(message)
  for _, pattern in ipairs(PROMISED) do
    if message:find(pattern) then return true end
  end
  return false
end

local function check_text(text)
  local value, message = decode(text, BIG)
  local strict, fault = decode(text)
  if value == nil then
    assert(is_promised(message), message)
    assert(strict == nil)
    return
  end
  assert(strict == nil and fault:find(UNFIT) or same(strict, value))
  local written = encode(value)
  local again, reason = decode(written)
  assert(same(value, again), reason or written)
end

local function check_string(bytes)
  local ok, text = pcall(encode, bytes)
  if ok then
    assert(decode(text) == bytes)
  else
    assert(text:find "json%.encode: value is not UTF%-8$", text)
  end
end

return function(bytes)
  check_text(bytes)
  check_string(bytes)
end
