-- What fuzz_options.c calls with any bytes: they become a table of options, always the same one for
-- the same bytes, and options.read either makes settings of it that keep its promises or says in a
-- string what is wrong, without a word of any value.

local core = require "corebank.auth.core"
local options = require "corebank.auth.options.read"

-- In every string value; never in a name. No message may show it.
local MARK = "S3CR3T"

local NAMES = {
  "baseUrl", "path", "clientId", "clientSecret", "timeout", "connectTimeout", "attempts", "caFile",
  "caPath", "clientCert", "clientKey", "clientKeyPassword", "pinnedKey", "minTls", "proxy",
  "noProxy", "allowPlaintext", "headers", "onEvent",
}

-- Values that lead past the first check of an option, to be mutated further.
local WORDS = {
  "https://bank.example", "http://127.0.0.1:8080/prefix/", "http://localhost", "https://[::1]:1",
  "https://u:p@bank.example/?q#f", "/a/b", "/", "1.2", "1.3", "",
  "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "*", "127.0.0.1", "\195\169",
}

local NUMBERS = {1e308, -1e308, 1 / 0, -1 / 0, 0 / 0, 0, -0.0, 2 ^ 53}

-- ---- bytes become values ------------------------------------------------------------------------

local Source = {}
Source.__index = Source

function Source:byte()
  local byte = self.bytes:byte(self.at) or 0
  self.at = self.at + 1
  return byte
end

function Source:more()
  return self.at <= #self.bytes
end

function Source:text()
  local length = self:byte()
  if length > 200 then length = length * 8 end
  local text = self.bytes:sub(self.at, self.at + length - 1)
  self.at = self.at + length
  return text
end

function Source:pick(list)
  return list[self:byte() % #list + 1]
end

local function nothing() end

local values = {}

local kinds = {
  function(source) return source:text() .. MARK end,
  function(source) return MARK .. source:text() end,
  function(source) return source:pick(WORDS) end,
  function(source) return source:pick(WORDS) .. source:text() end,
  function(source) return source:byte() end,
  function(source) return source:byte() / 16 - 4 end,
  function(source) return source:pick(NUMBERS) end,
  function(source) return source:byte() % 2 == 0 end,
  function() return nothing end,
  function() return coroutine.create(nothing) end,
  function() return io.stdout end,
  function(source) return (core.secret(MARK .. source:text())) end,
  function(source)
    local secret = core.secret(MARK .. source:text())
    if secret then secret:close() end
    return secret
  end,
  function(source) return values.list(source) end,
}

function values.any(source)
  source.depth = source.depth + 1
  local value
  if source.depth < 6 then value = source:pick(kinds)(source) end
  source.depth = source.depth - 1
  return value
end

-- A key of any type, without the mark.
function values.key(source)
  local key = values.any(source)
  if key == nil or key ~= key then return false end
  if type(key) == "string" then return (key:gsub(MARK, "")) end
  return key
end

function values.list(source)
  local list = {}
  for _ = 1, source:byte() % 40 do
    local name = source:byte() % 4 == 0 and values.key(source) or source:text()
    list[name] = values.any(source)
  end
  return list
end

local function name_from(source)
  local kind = source:byte()
  if kind < 220 then return NAMES[kind % #NAMES + 1] end
  if kind < 240 then
    local name, cut = source:pick(NAMES), source:byte()
    return name:sub(1, cut % #name) .. source:text() .. name:sub(cut % #name + 1)
  end
  if kind < 250 then return source:text():sub(1, 24) end   -- the nearest name takes time to find
  return values.key(source)
end

-- Half of the time something that would be accepted, for the bytes to spoil.
local function start(source)
  if source:byte() % 2 == 0 then return {} end
  return {baseUrl = "https://bank.example", clientId = "id", clientSecret = MARK}
end

local function build(source)
  local given = start(source)
  while source:more() do
    local name = name_from(source)
    given[name] = values.any(source)
  end
  return given
end

-- ---- what is promised ---------------------------------------------------------------------------

local function must(holds, what)
  if not holds then error("broken promise: " .. what, 0) end
end

local function is_plain(text)
  return type(text) == "string" and text ~= "" and not text:find "[%c ]"
end

local function check_settings(settings, given)
  must(is_plain(settings.url) and settings.url:find "^https?://", "url")
  must(is_plain(settings.origin) and not settings.origin:find("@", 1, true), "origin")
  must(settings.url:find "^https" or given.allowPlaintext or settings.noProxy == "*",
    "plaintext")
  must(core.characters(settings.clientId) and settings.clientId ~= "", "clientId")
  must(core.is_secret(settings.clientSecret) and settings.clientSecret:characters() <= 100,
    "clientSecret")
  must(settings.timeout > 0 and settings.timeout <= 600, "timeout")
  must(settings.connectTimeout > 0 and settings.connectTimeout <= 600, "connectTimeout")
  must(settings.attempts >= 1 and settings.attempts % 1 == 0, "attempts")
  for _, line in ipairs(settings.headerLines or {}) do must(not line:find "%c", "headerLines") end
end

local function post(settings, seconds)
  return core.transfer(settings.endpoint, {url = settings.url, method = "POST",
    clientId = settings.clientId, clientSecret = settings.clientSecret}, seconds)
end

-- A transfer sends nothing before a step when it is not alone, and this one has no end.
local function start_endless(port)
  local settings = assert(options.read{baseUrl = "http://127.0.0.1:" .. port, clientId = "id",
    clientSecret = "secret", allowPlaintext = true, noProxy = "*"})
  local transfer = post(settings, 600)
  must(not transfer:step(), "an endless transfer goes on")
  return transfer
end

local endless = start_endless((...))

-- The settings reach libcurl, which is never stepped and so sends nothing.
local function start_transfer(settings)
  local transfer = post(settings, 1)
  transfer:close()
end

return function(bytes)
  if bytes:find(MARK, 1, true) then return end
  must(not endless:is_done(), "nothing is stepped")
  local given = build(setmetatable({bytes = bytes, at = 1, depth = 0}, Source))
  local settings, mistake = options.read(given)
  if settings then
    check_settings(settings, given)
    start_transfer(settings)
    options.release(settings)
  else
    must(type(mistake) == "string" and mistake ~= "", "a mistake is told")
    must(not mistake:find(MARK, 1, true), "a mistake shows no value")
  end
end
