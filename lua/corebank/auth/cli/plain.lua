--- Reads the command lines that scripts are made of: a command, then whole flags, each with its
-- value in a word of its own. All others, and all that is wrong, are for arguments.lua: to compile
-- argparse takes longer than to look into the store.

local flags = require "corebank.auth.cli.flags"

local function takes(flag, command)
  return flag and flag.kind ~= "headers" and (not flag.command or flag.command == command)
end

local function choice(flag, value)
  for _, known in ipairs(flag.choices or {value}) do
    if known == value then return value end
  end
end

-- The value of a flag; nil when somebody must be told something.
local function value_of(flag, text)
  if flag.kind == "switch" then return true end
  if not text or text:sub(1, 1) == "-" or not choice(flag, text) then return nil end
  return (flags.value(flag, text))
end

--- Reads the words of a command line.
---@param words string[]
---@return table? read what arguments.read gives for the same words; nil: ask that
return function(words)
  local command, known = words[1], {}
  for _, name in ipairs(flags.commands) do known[name] = name ~= "completion" end
  if not known[command] then return nil end
  local read, by_flag = {command = command}, {}
  for _, flag in ipairs(flags.list) do by_flag[flag.flag] = flag end
  if command == "token" then read.format = "token" end
  local i = 2
  while words[i] do
    local flag = by_flag[words[i]]
    if not takes(flag, command) then return nil end
    local value = value_of(flag, words[i + 1])
    if value == nil then return nil end
    read[flag.name] = value
    i = i + (flag.kind == "switch" and 1 or 2)
  end
  return not flags.conflict(read) and read or nil
end
