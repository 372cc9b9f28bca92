--- The output of the command explain, as text and as JSON.

local core = require "corebank.auth.core"
local wording = require "corebank.auth.cli.wording"

-- RFC 3339, in local time.
local function moment(seconds)
  local text = os.date("%Y-%m-%dT%H:%M:%S%z", math.floor(seconds))
  return (text:gsub("(%d%d)$", ":%1"))
end

local function whole(seconds)
  return ("%d s"):format(math.floor(seconds))
end

local function ends(told)
  return moment(core.wall() + told.remaining)
end

local explanation = {}

---@param told corebank.auth.Explanation
---@param store corebank.auth.Store? the store of this client
function explanation.text(told, store)
  local lines = {}
  local function add(name, text)
    if text then lines[#lines + 1] = ("%-9s %s\n"):format(name, core.printable(text)) end
  end
  add("bank", told.client)
  add("store", store and store.name .. (store.dir and " in " .. store.dir or "") or "none")
  add("token", told.remaining
    and ("%s, %s left, until %s"):format(told.state, whole(told.remaining), ends(told))
    or "none; the next one comes from the bank")
  add("refresh", told.refreshIn and (told.refreshIn > 0 and "in " .. whole(told.refreshIn)
    or "at the next call"))
  local problem = told.problem
    and ("%s (%s)"):format(wording.spoken(told.problem), moment(told.problemAt))
  add("problem", problem or "none")
  add("pause", told.latchedFor and "the bank is not asked for " .. whole(told.latchedFor))
  return table.concat(lines)
end

-- A character of up to three bytes of UTF-8.
local function escape(character)
  local code, second, third = character:byte(1, 3)
  if second then code = code % (third and 16 or 32) * 64 + second % 64 end
  if third then code = code * 64 + third % 64 end
  return ("\\u%04x"):format(code)
end

-- JSON forbids bare control characters. A terminal also obeys U+0080 to U+009F and the characters
-- that break lines or change their direction: U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to
-- U+2069. All else stays, also bytes of a folder's name that are no UTF-8.
local ESCAPED = {'[%c"\\]', "\194[\128-\159]", "\216\156", "\226\128[\142\143\168-\174]",
  "\226\129[\166-\169]"}

local function string_of(text)
  for _, pattern in ipairs(ESCAPED) do
    text = text:gsub(pattern, escape)
  end
  return '"' .. text .. '"'
end

local function number_of(seconds)
  return ("%d.%03d"):format(math.floor(seconds), math.floor(seconds % 1 * 1000))
end

--- The same for a program. What is not known is absent.
function explanation.json(told, store)
  local members = {}
  local function add(name, convert, value)
    if value then members[#members + 1] = ('"%s":%s'):format(name, convert(value)) end
  end
  add("bank", string_of, told.client)
  add("store", string_of, store and store.name)
  add("dir", string_of, store and store.dir)
  add("state", string_of, told.state)
  add("source", string_of, told.source)
  add("remaining", number_of, told.remaining)
  add("until", string_of, told.remaining and ends(told))
  add("refreshIn", number_of, told.refreshIn)
  add("problem", string_of, told.problem and wording.spoken(told.problem))
  add("problemAt", string_of, told.problem and moment(told.problemAt))
  add("pause", number_of, told.latchedFor)
  return "{" .. table.concat(members, ",") .. "}\n"
end

return explanation
