--- What --help says. Loaded when somebody asks.

local about = require "corebank.auth.cli.about"
local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"

-- What stands beside a command's name in the list of commands, where that is not all.
local USED_WITH = {
  exec = "exec -- PROGRAM [ARG...]", completion = "completion " .. table.concat(flags.shells, "|"),
}

local function summary()
  local lines = {about.purpose .. "\n\nCommands:"}
  for _, name in ipairs(flags.commands) do
    lines[#lines + 1] = ("   %-26s %s"):format(USED_WITH[name] or name, flags.summaries[name])
  end
  lines[#lines + 1] = "   COMMAND --help             says more about a command"
  return table.concat(lines, "\n")
end

local function environment()
  local lines = {"Environment:"}
  for _, entry in ipairs(about.environment) do
    local names, meaning = entry[1], entry[2]
    local format = #names < 26 and "   %-26s %s" or "   %s\n" .. (" "):rep(30) .. "%s"
    lines[#lines + 1] = format:format(names, meaning)
  end
  return table.concat(lines, "\n")
end

local function exit_statuses()
  local lines = {"Exit status:"}
  for _, entry in ipairs(exits.list) do
    lines[#lines + 1] = ("   %-4d %s"):format(entry[1], entry[2])
  end
  return table.concat(lines, "\n")
end

local function examples(list)
  return "Examples:\n   " .. table.concat(list, "\n   ")
end

local help = {}

--- The help for a parser: the whole command's, or one command's.
---@param parser table argparse's
---@param root table
---@return string
function help.text(parser, root)
  root:help_description_margin(30):help_max_width(80)
  for _, command in ipairs(root._commands) do command:hidden(true) end   -- the summary has them
  local name = parser ~= root and parser._name
  if name then
    parser:usage("Usage: " .. about.usage(name))
    parser:description(about.commands[name])
  else
    parser:usage("Usage: corebank-auth COMMAND [OPTION...]")
    parser:description(summary())
  end
  return table.concat({parser:get_help(), environment(), exit_statuses(),
    examples(about.examples[name or "token"])}, "\n\n")
end

return help
