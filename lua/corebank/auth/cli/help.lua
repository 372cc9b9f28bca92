--- Makes the text of --help. Loaded only when it is asked for.

local about = require "corebank.auth.cli.about"
local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"

local COLUMN = 26   -- characters of a row's term

-- A heading, and rows of a term and its meaning. A term that is too long for its column has a line
-- of its own.
local function section(heading, column, rows)
  local lines = {heading}
  for _, row in ipairs(rows) do
    local term = tostring(row[1])
    local gap = #term < column and (" "):rep(column + 1 - #term) or "\n" .. (" "):rep(column + 4)
    lines[#lines + 1] = "   " .. term .. gap .. row[2]
  end
  return table.concat(lines, "\n")
end

local function commands()
  local rows = {}
  for i, name in ipairs(flags.commands) do
    local words = about.usage(name):gsub("^corebank%-auth ", ""):gsub(" %[OPTION%.%.%.%]", "")
    rows[i] = {words, flags.summaries[name]}
  end
  rows[#rows + 1] = {"COMMAND --help", "says more about a command"}
  return section("Commands:", COLUMN, rows)
end

local help = {}

--- The help for a parser: the whole command's, or one command's.
---@param parser table argparse's
---@param root table
---@return string
function help.text(parser, root)
  root:help_description_margin(COLUMN + 4):help_max_width(80)
  for _, command in ipairs(root._commands) do command:hidden(true) end   -- the summary has them
  local name = parser ~= root and parser._name
  if name then
    parser:usage("Usage: " .. about.usage(name))
    parser:description(about.commands[name])
  else
    parser:usage("Usage: corebank-auth COMMAND [OPTION...]")
    parser:description(about.purpose .. "\n\n" .. commands())
  end
  return table.concat({parser:get_help(), section("Environment:", COLUMN, about.environment),
    section("Exit status:", 4, exits.list),
    "Examples:\n   " .. table.concat(about.examples[name or "token"], "\n   ")}, "\n\n")
end

return help
