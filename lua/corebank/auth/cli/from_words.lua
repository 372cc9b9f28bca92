--- Makes options, a store and a client from the words of a command line.
--
-- It does the same as auth.client and loads fewer modules. Loading takes most of the time of a
-- command that finds its token in the store.

local blocking = require "corebank.auth.host.blocking"
local client = require "corebank.auth.client.client"
local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local file_store = require "corebank.auth.store.file"
local flags = require "corebank.auth.cli.flags"
local output = require "corebank.auth.cli.output"
local secrets = require "corebank.auth.cli.secrets"
local system = require "corebank.auth.host.system"

-- Kinds of options that are one word: an invisible character at an end is a mistake.
local IS_ONE_WORD = {URL = true, ID = true, HOSTS = true}

local from_words = {}

-- Adds the headers that are in files. Each file is read once: it may be a pipe.
local function read_header_files(words)
  local header_lines = require "corebank.auth.cli.header_lines"
  local list = words.headerFiles
  words.headerFiles = nil
  for _, file in ipairs(list) do
    local headers = words[file.name] or {}
    words[file.name] = headers
    local mistake = header_lines.add_file(headers, file.flag, file.path, words.anySecretMode)
    if mistake then require "corebank.auth.cli.wording".stop_for(mistake) end
  end
end

--- The options as auth.client takes them, but for the secret and the store.
---@param words table from arguments.read
function from_words.options(words)
  local read = {}
  if words.headerFiles then read_header_files(words) end
  for _, flag in ipairs(flags.list) do
    local value = words[flag.name]
    if value and IS_ONE_WORD[flag.kind] then
      local text, reason = core.outside(value)
      if not text then exits.stop(exits.USAGE, flag.flag .. " " .. reason) end
      value = text
    end
    if flag.isOption then read[flag.name] = value end
  end
  if words.keyPasswordFile then   -- read once: it may be a pipe, and the doctor calls this twice
    words.keyPassword = words.keyPassword
      or secrets.from_file(words, "--key-password-file", words.keyPasswordFile)
    read.clientKeyPassword = words.keyPassword
  end
  return read
end

--- The store; nil with --no-store.
function from_words.store(words)
  if words.noStore then return nil end
  if words.storeUrl then return require "corebank.auth.cli.redis_store"(words.storeUrl) end
  local made, mistake = file_store.new{dir = words.storeDir}
  if not made then exits.stop(exits.USAGE, (mistake:gsub("^dir", "--store-dir"))) end
  return made
end

--- A fault of the store, and the flags that choose another one.
function from_words.store_fault(words, fault)
  return ("%s (%s--no-store does without)"):format(fault,
    words.storeUrl and "" or "--store-dir FOLDER names one, ")
end

--- A client, and its store if it has one.
function from_words.client(words)
  local read = from_words.options(words)
  read.store = from_words.store(words)
  local told = false
  function read.onEvent(event)
    if event.name ~= "store_failed" or told then return end
    told = true
    output.tell(("the store failed (%s): %s"):format(event.operation,
      from_words.store_fault(words, event.fault)))
  end
  local settings = secrets.settings(read, words)
  return client.new(settings, system, blocking), read.store
end

return from_words
