--- The command corebank-auth: reads its words, runs the command, and returns the exit status.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local output = require "corebank.auth.cli.output"

local function run(words)
  local read = require "corebank.auth.cli.plain"(words)
    or require "corebank.auth.cli.arguments".read(words)
  return require "corebank.auth.cli.commands"[read.command](read)
end

-- The status and the message for an error that was raised. A bug's message has a traceback: names
-- of functions and line numbers, no values.
local function describe(fault)
  if type(fault) == "table" then return fault end
  local message = tostring(fault)
  if message:find "interrupted!$" then
    return {status = exits.INTERRUPTED, message = "interrupted"}
  elseif not message:find "not enough memory$" then
    message = "this is a bug: " .. debug.traceback(message, 2)
  end
  return {status = exits.MACHINE, message = message}
end

-- Whether the output goes to a shell's eval, also when the command line has a mistake.
local function is_for_eval(words)
  for i, word in ipairs(words) do
    if word == "--" then return false end
    if word == "--format=env" or word == "--format" and words[i + 1] == "env" then return true end
  end
  return false
end

-- Returns the exit status, and writes the message if there is one.
local function end_command(ok, outcome)
  if ok then return outcome or exits.SUCCESS end
  if type(outcome) ~= "table" then   -- no memory was left to describe the error
    pcall(output.tell, "not enough memory")
    return exits.MACHINE
  end
  if outcome.message then output.tell(outcome.message) end
  return outcome.status
end

local cli = {}

--- Runs the command.
---@param words string[] the words of its command line
---@return integer # the exit status
function cli.run(words)
  core.take_standard_files()
  -- The command ends before a collection would pay. Lua 5.5 has "param" in place of "setpause".
  if not pcall(collectgarbage, "setpause", 1000) then collectgarbage("param", "pause", 1000) end
  local status = end_command(xpcall(function() return run(words) end, describe))
  -- Without it eval would succeed, and the script would go on with an older token.
  if status ~= exits.SUCCESS and is_for_eval(words) then core.write(1, "false\n") end
  return status
end

return cli
