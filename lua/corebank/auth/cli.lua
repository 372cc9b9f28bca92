--- The command corebank-auth: what its words ask for, done; how it ended, said and returned.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"

local commands = {}

function commands.token(words)
  local given = require "corebank.auth.cli.given"
  local bank = given.client(words)
  bank:look()   -- what is in the store needs no flight, and so no more of this library
  local token, message, problem = bank:token()
  if token and words.refresh and bank:explain().source == "store" then
    if not bank:invalidate(token) then
      exits.tell("the last refresh was seconds ago, and this is what it brought; try again in 5 s")
    end
    token, message, problem = bank:token()
  end
  if not token then
    local wording = require "corebank.auth.cli.wording"
    return wording.fail(message, problem)
  end
  local formats = require "corebank.auth.cli.formats"
  local ok, reason = pcall(exits.print, formats[words.format](token))
  bank:settle()   -- a refresh in the air: others wait for it, and it would be lost
  bank:close()
  if not ok then error(reason, 0) end
end

function commands.explain(words)
  local given = require "corebank.auth.cli.given"
  local bank, store = given.client(words)
  bank:look()
  exits.print(require "corebank.auth.cli.explanation"(bank:explain(), store))
  bank:close()
end

function commands.forget(words)
  local given = require "corebank.auth.cli.given"
  local bank = given.client(words)
  local done = bank:forget()
  bank:close()
  if not done then exits.stop(exits.MACHINE, "the store did not forget all of it") end
end

function commands.doctor(words)
  return require "corebank.auth.cli.doctor"(words)
end

local function read_words(words)
  local read = require "corebank.auth.cli.plain"(words)
  if read then return read end
  local arguments = require "corebank.auth.cli.arguments"
  return arguments.read(words)
end

local function run(words)
  local read, outcome = read_words(words)
  if read then return commands[read.command](read) end
  if outcome.text then return exits.print(outcome.text .. "\n") end
  local name = outcome.command and outcome.command .. " " or ""
  exits.stop(exits.USAGE, ("%s\ncorebank-auth %s--help says more"):format(outcome.mistake, name))
end

local function trace(fault)
  if type(fault) == "table" then return fault end
  local wording = require "corebank.auth.cli.wording"
  return wording.trace(tostring(fault))
end

local cli = {}

--- Runs the command.
---@param words string[] the words of its command line
---@return integer # the exit status
function cli.run(words)
  core.take_standard_files()
  collectgarbage("setpause", 1000)   -- it will be over before there is anything to collect
  local ok, outcome = xpcall(function() return run(words) end, trace)
  if ok then return outcome or exits.SUCCESS end
  if type(outcome) ~= "table" then   -- there was not even the memory to say what it was
    pcall(exits.tell, "not enough memory")
    return exits.MACHINE
  end
  if outcome.message then exits.tell(outcome.message) end
  return outcome.status
end

return cli
