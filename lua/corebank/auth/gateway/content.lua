--- The key of a bank's options: the same for two tables with the same content.
--
-- The key is a keyed hash, so it shows nothing of a secret. Each process makes a key for the hash,
-- which does not leave the process.

local core = require "corebank.auth.core"

local NUMBERS_IN_KEY = 5   -- random numbers of 53 bits each

local content = {}

local hash_key   -- of this process

local function key_of_process()
  if not hash_key then
    local digits = {}
    for i = 1, NUMBERS_IN_KEY do digits[i] = ("%.17g"):format(core.random()) end
    hash_key = core.secret(table.concat(digits, " "))
  end
  return hash_key
end

-- A store, a secret or a function is the same only as itself. Each of them has a number.
local numbers, count = setmetatable({}, {__mode = "k"}), 0

local function number_of(object)
  if not numbers[object] then
    count = count + 1
    numbers[object] = count
  end
  return ("object:%d;"):format(numbers[object])
end

local IS_PLAIN = {string = true, number = true, boolean = true}

local write   -- returns a value as text

-- Sorts the fields, because the order of `pairs` may differ.
local function write_fields(value)
  local parts = {}
  for name, field in pairs(value) do
    if name ~= "store" then parts[#parts + 1] = write(name) .. write(field) end
  end
  if value.store ~= nil then parts[#parts + 1] = "store:" .. number_of(value.store) end
  table.sort(parts)
  return "{" .. table.concat(parts) .. "}"
end

function write(value)
  local kind = type(value)
  if kind == "table" then return write_fields(value) end
  if not IS_PLAIN[kind] then return number_of(value) end
  local text = kind == "number" and ("%.17g"):format(value) or tostring(value)
  return ("%s:%d:%s;"):format(kind, #text, text)
end

--- The key of these options.
---@param given table
---@return string
function content.key(given)
  return core.entry_name(key_of_process(), write(given))
end

return content
