--- What each command does. A command takes the result of arguments.read, and returns its exit
-- status. nil and false mean success. Modules that only some commands need are loaded there.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local from_words = require "corebank.auth.cli.from_words"
local options = require "corebank.auth.options.list"
local output = require "corebank.auth.cli.output"

local commands = {}

-- Why the token is not a new one, although a new one was asked for; nil when it is new.
local function why_kept(bank, token, held, rest)
  if bank.isRejected then
    return ("no new token: %s; this is the rejected token")
      :format(bank:explain().problem or "the bank gave none")
  end
  if not held or held.accessToken ~= token.accessToken then return nil end
  if not rest then return "the bank gave the same token again" end
  return ("the last refresh was seconds ago, and this is its token; try again in %d s")
    :format(math.ceil(rest))
end

-- A valid token; with `refresh` a new one if there is one. Returns the token, and a remark when it
-- was rejected or is not new. Ends the command when there is no token.
local function token_of(bank, refresh)
  local held, rest = bank:look(), nil   -- a token in the store needs no flight
  if held and refresh then rest = select(2, bank:invalidate(held)) end
  local token, _, problem = bank:token()
  if not token then return require "corebank.auth.cli.wording".fail(problem) end
  return token, why_kept(bank, token, refresh and held, rest)
end

function commands.token(words)
  local bank = from_words.client(words)
  local token, kept = token_of(bank, words.refresh)
  if kept then output.tell(kept) end
  local text = require "corebank.auth.cli.formats"[words.format](token)
  local ok, reason = pcall(output.print, text)
  bank:settle()   -- a refresh in flight would be lost, and other processes wait for it
  bank:close()
  if not ok then error(reason, 0) end
  return kept and words.refresh and exits.KEPT
end

function commands.request(words)
  return require "corebank.auth.cli.request"(words)
end

-- Replaces this process by the program, with the token in its environment and without our secrets.
-- Ends the command on failure.
local function become(program, token)
  local formats = require "corebank.auth.cli.formats"
  for _, option in ipairs(options) do
    if option.secretEnv then core.setenv(option.secretEnv, nil) end
  end
  core.setenv("COREBANK_REDIS_PASSWORD", nil)
  for _, variable in ipairs(formats.variables(token)) do core.setenv(variable[1], variable[2]) end
  core.end_engine()
  local _, reason, is_missing = core.exec(program)
  local name = program[1]:find "^[%w_./+-]+$" and program[1] or "the program that exec was given"
  exits.stop(is_missing and exits.NOT_FOUND or exits.NOT_RUN,
    ("cannot run %s: %s"):format(name, reason))
end

function commands.exec(words)
  local bank = from_words.client(words)
  local token, kept = token_of(bank)
  if kept then output.tell(kept) end
  bank:settle()   -- a refresh in flight would be lost, and its token lasts longer
  token = bank:peek() or token
  bank:close()
  become(words.program, token)
end

function commands.explain(words)
  local bank, store = from_words.client(words)
  local token = bank:look()
  local text_of = require "corebank.auth.cli.explanation"[words.format]
  output.print(text_of(bank:explain(), store))
  bank:close()
  return not token and exits.NO_TOKEN
end

function commands.forget(words)
  local bank = from_words.client(words)
  local done = bank:forget()
  bank:close()
  if not done then exits.stop(exits.MACHINE, "the store could not delete all") end
end

function commands.doctor(words)
  return require "corebank.auth.cli.doctor"(words)
end

return commands
