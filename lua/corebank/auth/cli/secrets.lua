--- Reads the command's secrets from a file, the environment or the terminal. A secret never becomes
-- a Lua string. No message shows a given path: somebody may have typed the secret in its place.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local options = require "corebank.auth.options.read"
local secret = require "corebank.auth.options.secret"

local ON_TERMINAL = ", or run this on a terminal and type it"

local secrets = {}

-- How the command reads files that hold secrets: pipes, too.
local function how_to_read(words)
  return {anyMode = words.anySecretMode, stream = true}
end

--- The secret in a file. Ends the command when there is none.
---@param words table from arguments.read
---@param flag string that names the file
---@param path string "-" is the standard input
function secrets.from_file(words, flag, path)
  local value, reason = secret.from_file(path, how_to_read(words))
  if value then return value end
  local what = path == "-" and "the standard input, for %s," or "the file given to %s"
  require "corebank.auth.cli.wording".stop_for(what:format(flag) .. " " .. reason)
end

--- Checks the options, which have no secret, as if they had one.
---@param read table from from_words.options
---@return corebank.auth.Settings? # to be released
---@return string? mistake
function secrets.check_all_else(read)
  read.clientSecret = "a secret"
  local settings, mistake = options.read(read, true)
  read.clientSecret = nil
  return settings, mistake
end

local function stop_without_secret(why, remedy)
  exits.stop(exits.USAGE, ("there is no client secret%s; set COREBANK_CLIENT_SECRET or "
    .. "COREBANK_CLIENT_SECRET_FILE, or give --secret-file FILE%s"):format(why, remedy))
end

-- Asks for the client secret: only when all other options are right and, without --prompt, when
-- the standard input or the standard error is a terminal.
local function ask(read, words)
  local settings, mistake = secrets.check_all_else(read)
  if not settings then require "corebank.auth.cli.wording".stop_for(mistake) end
  options.release(settings)
  if words.noPrompt then
    stop_without_secret(", and --no-prompt says not to ask for it", "")
  elseif not words.prompt and not core.is_terminal(0) and not core.is_terminal(2) then
    stop_without_secret("", ON_TERMINAL)
  end
  local value, reason = core.prompt("Client secret: ")
  if value then return value end
  if reason == "cancelled" then exits.stop(exits.INTERRUPTED, "cancelled") end
  if reason == "background" then
    stop_without_secret(", and this process is in the background of its terminal",
      ", or run this in the foreground (timeout has --foreground) and type it")
  elseif reason == "no terminal" then
    stop_without_secret("", ON_TERMINAL)
  end
  exits.stop(exits.USAGE, "what was typed " .. reason)
end

--- Adds the client secret to options, and makes settings of them. Ends the command on a mistake.
---@param read table from from_words.options
---@param words table from arguments.read
---@return corebank.auth.Settings
---@return "environment"|"file"|"typed" source where the secret came from
function secrets.settings(read, words)
  local source = "environment"
  if words.secretFile then
    read.clientSecret, source = secrets.from_file(words, "--secret-file", words.secretFile), "file"
  elseif words.prompt then
    read.clientSecret, source = ask(read, words), "typed"
  end
  local settings, mistake = options.read(read, true, how_to_read(words))
  if not settings and mistake:find("^clientSecret is missing") then
    read.clientSecret, source = ask(read, words), "typed"
    settings, mistake = options.read(read, true)
  end
  if not settings then require "corebank.auth.cli.wording".stop_for(mistake) end
  return settings, source
end

return secrets
