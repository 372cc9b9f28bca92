-- json.lua LIBRARY COUNT: writes and reads a page of 50 transactions so often with auth.json
-- ("ours"), cjson or dkjson. Prints microseconds for writing and for reading one, and the bytes of
-- its text.

local core = require "corebank.auth.core"

-- Its functions, and its null.
local function load_library(name)
  if name ~= "ours" then return require(name), require(name).null end
  local auth = require "corebank.auth"
  return auth.json, auth.null
end

local function new_page(null)
  local list = {}
  for i = 1, 50 do
    list[i] = {id = ("tx-%08d"):format(i), amount = i * 1.25, currency = "EUR", booked = i % 3 > 0,
      counterparty = {name = "Caf\195\169 \"Zur Post\"", iban = "DE02120300000000202051"},
      reference = i % 5 == 0 and null or "invoice " .. i, sequence = 1700000000 + i}
  end
  return {transactions = list, page = 1, total = 50}
end

-- Microseconds of a call.
local function measure(count, call, value)
  for _ = 1, count / 10 do call(value) end
  local began = core.boot()
  for _ = 1, count do call(value) end
  return (core.boot() - began) / count * 1e6
end

local name, count = arg[1], tonumber(arg[2])
local library, null = load_library(name)
local text = library.encode(new_page(null))
local page = assert(library.decode(text))
assert(#page.transactions == 50 and page.transactions[50].amount == 62.5)
print(("%.3f %.3f %d"):format(measure(count, library.encode, page),
  measure(count, library.decode, text), #text))
