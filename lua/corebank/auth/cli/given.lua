--- From what was given on the command line to a client: options, the secret, the store.
--
-- What auth.client does is done here with less to load: of a command that finds its token in the
-- store, that is most of the time it takes.

local blocking = require "corebank.auth.host.blocking"
local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"
local file_store = require "corebank.auth.store.file"
local options = require "corebank.auth.options.read"
local secret = require "corebank.auth.options.secret"
local system = require "corebank.auth.host.system"

local NO_SECRET = "there is no client secret%s; set COREBANK_CLIENT_SECRET or "
  .. "COREBANK_CLIENT_SECRET_FILE, or give --secret-file FILE%s"

local ON_TERMINAL = ", or run this on a terminal and type it"

local HAS_ENDS = {URL = true, ID = true, HOSTS = true}   -- kinds of options that are one word

local given = {}

local function stop_for(mistake)
  local wording = require "corebank.auth.cli.wording"
  exits.stop(exits.USAGE, wording.spoken(mistake))
end

-- How the command reads files that hold secrets: pipes, too.
local function secret_files(words)
  return {anyMode = words.anySecretMode, stream = true}
end

-- The message is without the path: somebody may have put the secret there.
local function secret_file(words, flag, path)
  local value, reason = secret.from_file(path, secret_files(words))
  if value then return value end
  local what = path == "-" and "the standard input, for %s," or "the file given to %s"
  stop_for(what:format(flag) .. " " .. reason)
end

-- What stands on a command line comes from outside, often by way of a file.
local function check_ends(flag, text)
  local value, reason = core.outside(text)
  if not value then exits.stop(exits.USAGE, flag .. " " .. reason) end
  return value
end

--- Settings of the options with a secret that is none, to see all else first.
---@param read table what `options` made
---@return table? settings to be released
---@return string? mistake
function given.all_but_secret(read)
  local own = read.clientSecret
  read.clientSecret = "a secret"
  local settings, mistake = options.read(read, true)
  read.clientSecret = own
  return settings, mistake
end

local function stop_without_secret(why, remedy)
  exits.stop(exits.USAGE, NO_SECRET:format(why, remedy))
end

-- Nobody is asked for it when all else is not right, nor, without --prompt, where nobody may be
-- watching.
local function ask(read, words)
  local settings, mistake = given.all_but_secret(read)
  if not settings then stop_for(mistake) end
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

-- Adds the headers that are in files. Read once, as the passphrase is.
local function read_header_files(words)
  local header_lines = require "corebank.auth.cli.header_lines"
  local paths = words.headerFiles
  words.headers, words.headerFiles = words.headers or {}, nil
  for _, path in ipairs(paths) do
    local mistake = header_lines.add_file(words.headers, path, words.anySecretMode)
    if mistake then stop_for(mistake) end
  end
end

--- The options as auth.client takes them, but for the secret and the store.
---@param words table from arguments.read
---@return table
function given.options(words)
  local read = {}
  if words.headerFiles then read_header_files(words) end
  for _, flag in ipairs(flags.list) do
    if flag.isOption then read[flag.name] = words[flag.name] end
    if HAS_ENDS[flag.kind] and read[flag.name] then
      read[flag.name] = check_ends(flag.flag, read[flag.name])
    end
  end
  if words.keyPasswordFile then   -- read once: the doctor asks twice, and a pipe has it once
    words.keyPassword = words.keyPassword
      or secret_file(words, "--key-password-file", words.keyPasswordFile)
    read.clientKeyPassword = words.keyPassword
  end
  return read
end

--- The store; nil when there is to be none.
---@param words table
---@return corebank.auth.Store?
function given.store(words)
  if words.noStore then return nil end
  local made, mistake = file_store.new{dir = words.storeDir}
  if not made then exits.stop(exits.USAGE, (mistake:gsub("^dir", "--store-dir"))) end
  return made
end

--- What is wrong with the store, and which options of the command are about it.
---@param fault string
---@return string
function given.store_fault(fault)
  return fault .. " (--store-dir FOLDER names one, --no-store does without)"
end

-- Makes something of options that may lack the secret, and says where that came from.
local function with_secret(read, words, make)
  local source = "environment"
  if words.secretFile then
    read.clientSecret, source = secret_file(words, "--secret-file", words.secretFile), "file"
  elseif words.prompt then
    read.clientSecret, source = ask(read, words), "typed"
  end
  local made, mistake = make(read, secret_files(words))
  if not made and mistake:find("^clientSecret is missing") then
    read.clientSecret, source = ask(read, words), "typed"
    made, mistake = make(read)
  end
  if not made then stop_for(mistake) end
  return made, source
end

local function new_client(read, how)
  local settings, mistake = options.read(read, true, how)
  if not settings then return nil, mistake end
  return client.new(settings, system, blocking, function() options.release(settings) end)
end

--- A client.
---@param words table
---@return corebank.auth.Client
---@return corebank.auth.Store?
function given.client(words)
  local read = given.options(words)
  read.store = given.store(words)
  local told = false
  function read.onEvent(event)
    if event.name ~= "store_failed" or told then return end
    told = true
    exits.tell(("the store failed (%s): %s"):format(event.operation,
      given.store_fault(event.fault)))
  end
  return (with_secret(read, words, new_client)), read.store
end

--- The settings of a single call.
---@param words table
---@return table
---@return "environment"|"file"|"typed" source where the secret came from
function given.settings(words)
  return with_secret(given.options(words), words, function(read, how)
    return options.read(read, true, how)
  end)
end

return given
