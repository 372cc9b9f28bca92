--- Writes results to the standard output, and messages to the standard error.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"

local output = {}

--- Lines that are fit for a terminal. A client id, a file's name or the bank's words may hold
-- control sequences: each invisible character but the line feed becomes a question mark. A value
-- that may hold line feeds goes through core.printable first.
function output.readable(text)
  return (text:gsub("[^\n]+", core.printable))
end

--- Writes a message for a person. A failure to write it is ignored.
function output.tell(message)
  core.write(2, "corebank-auth: " .. output.readable(message) .. "\n")
end

--- Writes a result. Ends the command on failure.
function output.print(text)
  local ok, reason = core.write(1, text)
  if not ok then exits.stop(exits.MACHINE, "cannot write to the standard output: " .. reason) end
end

return output
