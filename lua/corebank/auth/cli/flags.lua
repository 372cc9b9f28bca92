--- The flags: the options of options/list.lua in kebab-case, and the flags that only the command
-- has. Options for secrets are not flags.

local options = require "corebank.auth.options.list"

---@class corebank.auth.Flag
---@field flag string "--ca-file"
---@field name string where its value is put
---@field kind string "switch": it takes no value; else what the value is
---@field meaning string
---@field env string? the environment variable that is read without it
---@field default any
---@field command string? the only command that takes it; nil: all do
---@field short string? "-X"
---@field isList boolean? it may be given several times
---@field choices string[]?

local NOT_A_FLAG = {secret = true, ["function"] = true, store = true}
local IS_NUMBER = {SECONDS = true, COUNT = true}

local own = {
  {flag = "--secret-file", name = "secretFile", kind = "FILE",
    meaning = "the file that contains the client secret; - is standard input. Without this flag: "
      .. "$COREBANK_CLIENT_SECRET, or the file that $COREBANK_CLIENT_SECRET_FILE names"},
  {flag = "--prompt", name = "prompt", kind = "switch",
    meaning = "asks for the client secret on the terminal, without echo"},
  {flag = "--no-prompt", name = "noPrompt", kind = "switch",
    meaning = "never asks for the client secret"},
  {flag = "--key-password-file", name = "keyPasswordFile", kind = "FILE",
    meaning = "the file that contains the passphrase of the client key"},
  {flag = "--any-secret-mode", name = "anySecretMode", kind = "switch",
    meaning = "accepts secret files that every user of this machine may read"},
  {flag = "--store-dir", name = "storeDir", kind = "FOLDER",
    meaning = "where tokens are kept, encrypted; else corebank-auth in $XDG_CACHE_HOME or "
      .. "~/.cache"},
  {flag = "--store", name = "storeUrl", kind = "URL",
    meaning = "keeps tokens in Redis, for several hosts: redis://USER@HOST:PORT/DATABASE. Its "
      .. "password: $COREBANK_REDIS_PASSWORD, or the file that $COREBANK_REDIS_PASSWORD_FILE "
      .. "names"},
  {flag = "--no-store", name = "noStore", kind = "switch",
    meaning = "keeps no token between runs"},
  {flag = "--format", name = "format", kind = "FORMAT", command = "token", default = "token",
    choices = {"token", "header", "json", "env", "dotenv"},
    meaning = "token, header, json, env or dotenv"},
  {flag = "--refresh", name = "refresh", kind = "switch", command = "token",
    meaning = "gets a new token, because the API has rejected the one in the store"},
  {flag = "--format", name = "format", kind = "FORMAT", command = "explain", default = "text",
    choices = {"text", "json"}, meaning = "text or json"},
  {flag = "--show-answer", name = "showAnswer", kind = "switch", command = "doctor",
    meaning = "shows the bank's answer, with secrets blanked, if it has no token"},
  {flag = "--method", short = "-X", name = "method", kind = "METHOD", command = "request",
    meaning = "the method; without this flag GET, or POST if there is a body"},
  {flag = "--query", name = "query", kind = "NAME=VALUE", command = "request", isList = true,
    meaning = "adds a parameter to the URL's query"},
  {flag = "--json", name = "json", kind = "NAME=TEXT", command = "request", isList = true,
    meaning = "adds a member to the JSON body: NAME=TEXT is a string, NAME:=JSON any JSON, "
      .. "which is sent as it is"},
  {flag = "--data", short = "-d", name = "data", kind = "TEXT", command = "request",
    meaning = "the body; @FILE is the content of a file, and - is standard input"},
  {flag = "--header", short = "-H", name = "requestHeaders", kind = "headers",
    command = "request",
    meaning = "adds a header to the request; @FILE: all headers in a file"},
  {flag = "--common-header", name = "headers", kind = "headers", command = "request",
    meaning = "adds a header to the request, and to the call that gets the token"},
  {flag = "--output", short = "-o", name = "output", kind = "FILE", command = "request",
    meaning = "writes the body into this file, if the status is 2xx"},
  {flag = "--include", short = "-i", name = "include", kind = "switch", command = "request",
    meaning = "prints the status and the headers before the body"},
  {flag = "--fail", name = "fail", kind = "switch", command = "request",
    meaning = "prints no body and fails if the status is not 2xx"},
}

local flags = {
  commands = {"token", "request", "exec", "explain", "forget", "doctor", "completion"},
  shells = {"bash", "zsh", "fish"},   -- that `completion` knows
}

--- What each command does, in at most 50 characters: --help has one line for each command.
flags.summaries = {
  token = "prints the access token",
  request = "sends a request to the API, and prints the answer",
  exec = "runs a program with the token in its environment",
  explain = "shows the token in the store and the last problem",
  forget = "deletes the token from the store",
  doctor = "checks each step, and says what is wrong",
  completion = "prints a completion script for the shell",
}

---@type corebank.auth.Flag[]
flags.list = {}
for _, option in ipairs(options) do
  if not NOT_A_FLAG[option.kind] then
    local flag = option.kind == "headers" and "--header"
      or "--" .. option.name:gsub("%u", function(letter) return "-" .. letter:lower() end)
    flags.list[#flags.list + 1] = {flag = flag, name = option.name, kind = option.kind,
      meaning = option.meaning, env = option.env, default = option.default, isOption = true}
  end
end
for _, flag in ipairs(own) do flags.list[#flags.list + 1] = flag end

--- The flags that a command takes, its own before those of all commands. Its own one hides one of
--- the same name.
---@param command string? nil: those of all commands
---@return corebank.auth.Flag[]
function flags.of(command)
  local list, seen = {}, {}
  for _, owner in ipairs(command and {command, false} or {false}) do
    for _, flag in ipairs(flags.list) do
      if (flag.command or false) == owner and not seen[flag.flag] then
        list[#list + 1], seen[flag.flag] = flag, true
      end
    end
  end
  return list
end

--- What --help says of a flag that takes a value.
---@param flag corebank.auth.Flag
---@return string
function flags.meaning(flag)
  if flag.env then return ("%s; else from $%s"):format(flag.meaning, flag.env) end
  if flag.short then return ("%s (also %s)"):format(flag.meaning, flag.short) end
  if flag.default then return ("%s (default %s)"):format(flag.meaning, flag.default) end
  return flag.meaning
end

--- How --help writes the value of a flag.
---@param flag corebank.auth.Flag
---@return string
function flags.argument(flag)
  return flag.kind == "headers" and "'NAME: VALUE'" or flag.kind
end

-- Flags of curl that a user may try here.
local CURLS = {["-H"] = "header", ["-k"] = "insecure", ["-x"] = "proxy", ["-E"] = "clientCert"}

-- The commands that have this flag of their own.
local function owners(text)
  local list = {}
  for _, flag in ipairs(flags.list) do
    if flag.command and flag.flag == text then list[#list + 1] = flag.command end
  end
  return list
end

--- The flag that an unknown one may have meant: --caFile, --CA_FILE, --user-agent, -H. If other
--- commands have this very flag, their names.
---@param text string
---@param command string? the command whose flag it should be; nil: it is before the command
---@return string # to be appended to a message; empty when no flag is near
function flags.hint(text, command)
  local others = owners(text)
  if others[1] then
    local names = table.concat(others, " and ")
    if not command then return "; it comes after its command, " .. names end
    return ("; only %s %s it"):format(names, others[2] and "have" or "has")
  end
  local suggest = require "corebank.auth.options.suggest"
  local name = CURLS[text] or text:match("^%-*([^=]*)")
  local nearest, hint = suggest.nearest(name, flags.list)
  return nearest and hint:format(nearest.flag) or ""
end

--- The value of a flag, as its option takes it; or nil and the reason.
function flags.value(flag, text)
  if not IS_NUMBER[flag.kind] then return text end
  local number = tonumber(text)
  if not number then return nil, flag.flag .. " must be a number" end
  return number
end

--- The words of the program that exec runs: those after the one that `separator` numbers, "--".
function flags.program(words, separator)
  local program = {}
  for i = separator + 1, #words do program[#program + 1] = words[i] end
  return program
end

--- What is wrong with a combination of flags, if anything.
---@param read table the flags' values by name
function flags.conflict(read)
  if read.prompt and read.secretFile then
    return "--prompt and --secret-file exclude each other"
  elseif read.prompt and read.noPrompt then
    return "--prompt and --no-prompt exclude each other"
  elseif read.noStore and read.storeDir then
    return "--no-store and --store-dir exclude each other"
  elseif read.storeUrl and (read.noStore or read.storeDir) then
    return ("--store and %s exclude each other"):format(read.noStore and "--no-store"
      or "--store-dir")
  elseif read.command == "exec" and not read.program[1] then
    return "exec needs a program after --: exec [OPTION...] -- PROGRAM [ARG...]"
  elseif read.json and read.data then
    return "--json and --data exclude each other"
  end
  local readers = {}
  if read.secretFile == "-" then readers[#readers + 1] = "--secret-file" end
  if read.keyPasswordFile == "-" then readers[#readers + 1] = "--key-password-file" end
  for _, file in ipairs(read.headerFiles or {}) do
    if file.path == "-" then readers[#readers + 1] = file.flag end
  end
  if read.data == "-" or read.data == "@-" then readers[#readers + 1] = "--data" end
  if readers[2] then
    return ("%s and %s cannot both be the standard input"):format(readers[1], readers[2])
  end
end

return flags
