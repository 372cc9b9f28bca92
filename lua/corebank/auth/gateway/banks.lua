--- The banks of this worker. Each stands alone: one that cannot be set up has no client, is tried
-- again, and takes no other along.

local auth = require "corebank.auth"
local check = require "corebank.auth.options.check"
local core = require "corebank.auth.core"
local metrics = require "corebank.auth.gateway.metrics"
local notes = require "corebank.auth.gateway.notes"
local options = require "corebank.auth.options.read"

-- What a client reads when it is made: read now, in a master maybe, and not by the first request.
require "corebank.auth.client.shared"
require "corebank.auth.host.nginx"
require "corebank.auth.host.system"
require "corebank.auth.store.shdict"

local ngx = ngx

local RETRY_SETUP = 2          -- seconds until a bank that could not be set up is tried again
local LONGEST_NAME = 100       -- bytes; it is part of the names of counters
local UNAUTHORIZED = ngx.HTTP_UNAUTHORIZED

---@class corebank.auth.gateway.Bank
---@field name string
---@field client corebank.auth.Client? nil: it could not be set up
---@field metrics corebank.auth.Metrics? nil: there is no such dict
---@field given table? its options, while it has no client
---@field mistake string? why it has none
---@field where string the line that called setup
---@field variable string the nginx variable that carries the token
---@field variables table<string, boolean> all that have carried one
---@field scheme string what stands before the token; "" for nothing
---@field rejects table<integer, boolean> statuses by which the upstream rejects a token
---@field due number when the pulse looks after it, on the boot clock
---@field secret corebank.auth.Secret? read from clientSecretFile

local banks = {DEFAULT_NAME = "default"}

local known, names = {}, {}
local retired = {}   -- clients that were replaced or taken away while they were fetching

-- ---- the gateway's own options -----------------------------------------------------------------

local function is_text(value)
  return type(value) == "string" and value ~= ""
end

local function is_variable(value)
  return type(value) == "string" and value:find "^[%a_][%w_]*$" ~= nil
end

local function is_scheme(value)
  return type(value) == "string" and value:find "^[%w_+.-]*$" ~= nil
end

local function is_status_list(value)
  if type(value) ~= "table" then return false end
  for index, status in pairs(value) do
    if type(index) ~= "number" or type(status) ~= "number" or status % 1 ~= 0
      or status < 400 or status > 599 then
      return false
    end
  end
  return true
end

local own = {
  {name = "name", default = banks.DEFAULT_NAME, mistake = "must be a string of 1 to "
    .. LONGEST_NAME .. " bytes, and no control character",
    check = function(value)
      return is_text(value) and #value <= LONGEST_NAME and not value:find "%c"
    end},
  {name = "dict", default = "corebank", check = is_text,
    mistake = "must be a string, and not empty"},
  {name = "variable", default = "bank_token", check = is_variable,
    mistake = "must be the name of an nginx variable, without the $"},
  {name = "scheme", default = "Bearer", check = is_scheme,
    mistake = 'must be a word such as "Bearer", or "" for the token alone'},
  {name = "rejects", default = {UNAUTHORIZED}, check = is_status_list,
    mistake = "must be a list of statuses from 400 to 599, such as {401, 403}"},
  {name = "clientSecretFile", check = is_text, mistake = "must be a path"},
}

local own_by_name = {}
for _, option in ipairs(own) do own_by_name[option.name] = option end

--- An option of the gateway's own: its value or its default; or nil and what is wrong with it.
function banks.own_option(given, name)
  local option, value = own_by_name[name], given[name]
  if value == nil then return option.default end
  if not option.check(value) then return nil, name .. " " .. option.mistake end
  return value
end

local function read_own(given)
  local read = {}
  for _, option in ipairs(own) do
    local value, mistake = banks.own_option(given, option.name)
    if mistake then return nil, mistake end
    read[option.name] = value
  end
  if read.clientSecretFile and given.clientSecret ~= nil then
    return nil, "give clientSecret or clientSecretFile, not both"
  end
  return read
end

-- ---- making ------------------------------------------------------------------------------------

-- Calls what raises its caller's mistakes. From pcall they come without a line.
local function attempt(action, ...)
  local ok, result = pcall(action, ...)
  if ok then return result end
  return nil, (tostring(result):gsub("^[%w.]+: ", ""))
end

-- The secret of a file; or nil and why it cannot be had.
local function read_secret(path)
  local secret, mistake = attempt(auth.secret.file, path)
  if secret then return secret end
  if mistake:find("Permission denied", 1, true) then
    mistake = mistake .. "; the user that nginx' workers run as must be able to read it: give the "
      .. "file that user's group, and mode 0640"
  end
  return nil, "clientSecretFile: " .. mistake
end

-- The client's options: all but ours.
local function client_options(given, secret)
  local copy = {}
  for option, value in pairs(given) do
    if not own_by_name[option] then copy[option] = value end
  end
  copy.clientSecret = secret or copy.clientSecret
  return copy
end

-- Adds our listener to the caller's.
local function listen(copy, bank)
  local theirs = copy.onEvent
  if theirs ~= nil and not check.callable(theirs) then return end   -- the client says so
  function copy.onEvent(event)
    notes.hear(bank, event)
    if theirs then theirs(event) end
  end
end

local function make_client(bank, read)
  local store, secret, mistake
  store, mistake = attempt(auth.store.shdict, read.dict)
  if not store then return nil, mistake end
  if read.clientSecretFile then
    secret, mistake = read_secret(read.clientSecretFile)
    if not secret then return nil, mistake end
  end
  local copy = client_options(bank.given, secret)
  copy.store = copy.store or store
  listen(copy, bank)
  bank.client, mistake = attempt(auth.client, copy)
  if bank.client then
    bank.secret = secret
  elseif secret then
    secret:close()
  end
  return bank.client, mistake
end

-- Gives a bank what its options say. Returns what is wrong with them.
local function make(bank)
  local read, mistake = read_own(bank.given)
  if not read then return mistake end
  bank.variable, bank.scheme = read.variable, read.scheme
  bank.variables = {[read.variable] = true}
  bank.rejects = {}
  for _, status in pairs(read.rejects) do bank.rejects[status] = true end
  bank.metrics = ngx.shared[read.dict] and metrics.new(ngx.shared[read.dict], bank.name)
  local _
  _, mistake = make_client(bank, read)
  if mistake then return mistake end
  bank.given = nil   -- it holds a secret, maybe
end

--- Sets up a bank that could not be yet.
---@param bank corebank.auth.gateway.Bank
function banks.try(bank)
  local mistake = make(bank)
  bank.due = core.boot() + (mistake and RETRY_SETUP or 0)
  notes.setup(bank, mistake)
  bank.mistake = mistake
end

-- ---- the list of them --------------------------------------------------------------------------

-- A client that somebody waits for goes when that is over.
local function retire(bank)
  bank.gone, bank.given = true, nil
  if bank.client then retired[#retired + 1] = bank end
  banks.close_retired()
end

--- Closes the clients of banks that are gone, as far as nothing is in flight for them.
function banks.close_retired()
  for i = #retired, 1, -1 do
    local bank = retired[i]
    if not bank.client:is_fetching() then
      table.remove(retired, i)
      bank.client:close()
      if bank.secret then bank.secret:close() end
    end
  end
end

--- Makes a bank known, in place of one that has its name.
---@param given table
---@param where string the line that called setup
---@return string? mistake
---@return boolean? # whether a bank is marked with it, and the log has it
function banks.put(given, where)
  if type(given) ~= "table" then return "a table of options is needed, not " .. type(given) end
  local name, mistake = banks.own_option(given, "name")
  if not name then return mistake end
  local old = known[name]
  local copy = {}
  for option, value in pairs(given) do copy[option] = value end
  local bank = {name = name, given = copy, where = where, due = 0,
    variable = own_by_name.variable.default, variables = {}, rejects = {}}
  if old then
    notes.replaced(old)
    retire(old)
  else
    names[#names + 1] = name
  end
  known[name] = bank
  banks.try(bank)
  return bank.mistake, true
end

--- Takes a bank away.
---@param name string
---@return boolean # whether there was one
function banks.remove(name)
  local bank = known[name]
  if not bank then return false end
  known[name] = nil
  for i, each in ipairs(names) do
    if each == name then table.remove(names, i) break end
  end
  retire(bank)
  return true
end

--- The bank of that name.
---@return corebank.auth.gateway.Bank?
function banks.get(name)
  return known[name]
end

--- All banks, in the order in which they were set up; a list of the caller's own.
---@return corebank.auth.gateway.Bank[]
function banks.all()
  local list = {}
  for i, name in ipairs(names) do list[i] = known[name] end
  return list
end

--- Another bank whose tokens travel in that variable, too.
---@return corebank.auth.gateway.Bank?
function banks.other_with(variable, bank)
  for _, name in ipairs(names) do
    local other = known[name]
    if other ~= bank and other.variables[variable] then return other end
  end
end

--- What is wrong with a bank's options, as far as that can be told without a worker.
---@param given table
---@return string? mistake
function banks.inspect(given)
  if type(given) ~= "table" then return "a table of options is needed, not " .. type(given) end
  local read, mistake = read_own(given)
  if not read then return mistake end
  local _, secret
  _, mistake = attempt(auth.store.shdict, read.dict)
  if mistake then return mistake end
  if read.clientSecretFile then
    secret, mistake = read_secret(read.clientSecretFile)
    if not secret then return mistake end
  end
  local settings
  settings, mistake = options.read(client_options(given, secret), true)
  if settings then options.release(settings) end
  if secret then secret:close() end
  return mistake
end

return banks
