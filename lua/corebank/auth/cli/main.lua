--- The command corebank-auth: what its words ask for, done; how it ended, said and returned.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"

local commands = {}

-- Why the token is the one that was there before, if it is.
local function why_kept(bank, token, held, rest)
  if bank.isRejected then
    return ("no new token: %s; this is the one that was rejected")
      :format(bank:explain().problem or "the bank gave none")
  end
  if not held or held.accessToken ~= token.accessToken then return nil end
  if not rest then return "the bank gave the same token again" end
  return ("the last refresh was seconds ago, and this is what it brought; try again in %d s")
    :format(math.ceil(rest))
end

-- A valid token; with `refresh` another one than is in the store. Ends the command where there is
-- none. Returns the token, and why it is none that others would call good, or new.
local function token_of(bank, refresh)
  local held, rest = bank:look(), nil   -- what is there needs no flight, and so no more of this
  if held and refresh then rest = select(2, bank:invalidate(held)) end
  local token, _, problem = bank:token()
  if not token then
    local wording = require "corebank.auth.cli.wording"
    return wording.fail(problem)
  end
  return token, why_kept(bank, token, refresh and held, rest)
end

function commands.token(words)
  local given = require "corebank.auth.cli.given"
  local bank = given.client(words)
  local token, kept = token_of(bank, words.refresh)
  if kept then exits.tell(kept) end
  local formats = require "corebank.auth.cli.formats"
  local ok, reason = pcall(exits.print, formats[words.format](token))
  bank:settle()   -- a refresh in flight: others wait for it, and it would be lost
  bank:close()
  if not ok then error(reason, 0) end
  return kept and words.refresh and exits.KEPT
end

function commands.exec(words)
  local given = require "corebank.auth.cli.given"
  local bank = given.client(words)
  local token, kept = token_of(bank)
  if kept then exits.tell(kept) end
  bank:settle()   -- the refresh in flight would be lost, and may bring a token that lasts longer
  token = bank:peek() or token
  bank:close()
  return require "corebank.auth.cli.program"(words.program, token)
end

function commands.explain(words)
  local given = require "corebank.auth.cli.given"
  local bank, store = given.client(words)
  local token = bank:look()
  local explanation = require "corebank.auth.cli.explanation"
  exits.print(explanation[words.format](bank:explain(), store))
  bank:close()
  return not token and exits.NO_TOKEN
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

-- Whether what is printed goes to a shell's eval, in any command line, also one with a mistake.
local function is_for_eval(words)
  for i, word in ipairs(words) do
    if word == "--" then return false end
    if word == "--format=env" or word == "--format" and words[i + 1] == "env" then return true end
  end
  return false
end

-- The exit status, what there is to say being said.
local function ended(ok, outcome)
  if ok then return outcome or exits.SUCCESS end
  if type(outcome) ~= "table" then   -- there was not even the memory to say what it was
    pcall(exits.tell, "not enough memory")
    return exits.MACHINE
  end
  if outcome.message then exits.tell(outcome.message) end
  return outcome.status
end

-- It will be over before there is anything to collect. "setpause" is gone from Lua 5.5, where
-- "param" has come.
local function collect_late()
  if not pcall(collectgarbage, "setpause", 1000) then collectgarbage("param", "pause", 1000) end
end

local cli = {}

--- Runs the command.
---@param words string[] the words of its command line
---@return integer # the exit status
function cli.run(words)
  core.take_standard_files()
  collect_late()
  local status = ended(xpcall(function() return run(words) end, trace))
  -- Else eval would succeed, and its script go on with a token of before.
  if status ~= exits.SUCCESS and is_for_eval(words) then core.write(1, "false\n") end
  return status
end

return cli
