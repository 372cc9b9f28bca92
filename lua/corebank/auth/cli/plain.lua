--- Parses the command lines that scripts usually have: a command, then full names of flags, with
-- each value as a separate word. It is there for speed only: loading argparse takes longer than
-- reading the store. arguments.lua parses all other lines, and those with mistakes.

local flags = require "corebank.auth.cli.flags"

-- The flags that are read here, by how they are written; and the defaults.
local function known_flags(command)
  local by_flag, read = {}, {command = command}
  for _, flag in ipairs(flags.list) do
    local is_own = flag.command == command
    if flag.kind ~= "headers" and (is_own or not flag.command) then by_flag[flag.flag] = flag end
    if is_own then read[flag.name] = flag.default end
  end
  return by_flag, read
end

-- The value of a flag; nil when it is missing or wrong.
local function value_of(flag, text)
  if flag.kind == "switch" then return true end
  if not text or text:sub(1, 1) == "-" then return nil end
  for _, choice in ipairs(flag.choices or {text}) do
    if choice == text then return (flags.value(flag, text)) end
  end
end

--- Reads the words of a command line.
---@return table? read as arguments.read returns it; nil: call that
return function(words)
  local command = words[1]
  local has_argument = command == "completion" or command == "request"
  if not flags.summaries[command] or has_argument then return nil end
  local by_flag, read = known_flags(command)
  local i = 2
  while words[i] and not (command == "exec" and words[i] == "--") do
    local flag = by_flag[words[i]]
    local value = flag and value_of(flag, words[i + 1])
    if value == nil then return nil end
    read[flag.name] = value
    i = i + (flag.kind == "switch" and 1 or 2)
  end
  if command == "exec" then read.program = flags.program(words, i) end
  return not flags.conflict(read) and read or nil
end
