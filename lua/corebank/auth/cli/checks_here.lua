--- The doctor's checks on this machine: options, secret, store. A check returns a text for its
-- line, or ends the command.

local core = require "corebank.auth.core"
local diagnosis = require "corebank.auth.exchange.diagnosis"
local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"
local from_words = require "corebank.auth.cli.from_words"
local options = require "corebank.auth.options.read"
local secrets = require "corebank.auth.cli.secrets"
local wording = require "corebank.auth.cli.wording"

local INDENT = "\n" .. (" "):rep(18)

-- As csrc/http/proxy.c reads them.
local PROXY_VARIABLES = {
  https = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
  http = {"http_proxy", "all_proxy", "ALL_PROXY"},
}
local NO_PROXY_VARIABLES = {"no_proxy", "NO_PROXY"}

-- The variables that count for an option that was not given.
local function variables(flag, settings)
  if flag.name ~= "proxy" and flag.name ~= "noProxy" then return {flag.env} end
  if settings.noProxy == "*" then return {} end
  return flag.name == "proxy" and PROXY_VARIABLES[settings.url:match "^%a+"] or NO_PROXY_VARIABLES
end

-- The value of an option that was not given, and where it came from.
local function fallback(flag, settings)
  for _, name in ipairs(variables(flag, settings)) do
    local value = os.getenv(name)
    if value and value ~= "" then return value, "$" .. name end
  end
  return flag.default, "by default"
end

local function shown(flag, value)
  if flag.name == "proxy" then return diagnosis.shown_proxy(value) end
  if type(value) ~= "table" then return tostring(value) end
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")   -- a header's value may be a key
end

local function option_lines(words, settings)
  local lines = {}
  for _, flag in ipairs(flags.list) do
    local value, source = words[flag.name], "given"
    if value == nil then value, source = fallback(flag, settings) end
    if flag.isOption and value then
      lines[#lines + 1] = ("%s %s (%s)"):format(flag.flag, core.printable(shown(flag, value)),
        source)
    end
  end
  return table.concat(lines, INDENT)
end

-- Variables that other programs read and corebank-auth does not.
local NOT_READ = {"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}

local function ignored_line()
  local names = {}
  for _, name in ipairs(NOT_READ) do
    if (os.getenv(name) or "") ~= "" then names[#names + 1] = "$" .. name end
  end
  if #names == 0 then return "" end
  return ("%s%s: set, and not used; only --ca-file and $COREBANK_CA_FILE count"):format(INDENT,
    table.concat(names, ", "))
end

local function check_options(state)
  local settings, mistake = secrets.check_all_else(from_words.options(state.words))
  if not settings then wording.stop_for(mistake) end
  options.release(settings)
  return option_lines(state.words, settings) .. ignored_line()
end

local function file_line(path)
  if path == "-" then return "standard input" end
  return ("file %s, mode %s"):format(core.printable(path), core.file_mode(path) or "unknown")
end

local function check_secret(state)
  local source
  state.settings, source = secrets.settings(from_words.options(state.words), state.words)
  if source == "file" then return file_line(state.words.secretFile) end
  if source == "typed" then return source end
  local name = state.settings.secretVariable
  if name == "COREBANK_CLIENT_SECRET" then return "$" .. name end
  return ("%s ($%s)"):format(file_line(core.outside(os.getenv(name))), name)
end

-- Writes, reads and deletes an entry of the doctor's own. Returns what went wrong, if anything.
local function try_store(store)
  local name = ("d0c%029d"):format(math.floor(core.random() * 2 ^ 32))   -- 32 digits, as others
  local done, fault = store:put(name, "a try", 60)
  if not done then return fault end
  local bytes
  bytes, fault = store:get(name)
  local gone, stays = store:delete(name)
  if bytes ~= "a try" then return fault or "the bytes read are not the bytes written" end
  return not gone and stays
end

local function check_store(state)
  local store = from_words.store(state.words)
  if not store then return "none (--no-store)" end
  local fault = try_store(store)
  if fault then exits.stop(exits.USAGE, from_words.store_fault(state.words, fault)) end
  local place = store.dir and " in " .. store.dir or " at " .. state.words.storeUrl
  return store.name .. core.printable(place)
end

return {{"options", check_options}, {"secret", check_secret}, {"store", check_store}}
