--- Checks and builds the URL of a request. The URL always has the API's origin. It is sent exactly
-- as it was checked here.

local api_url = require "corebank.auth.options.api_url"
local core = require "corebank.auth.core"

local LONGEST = 8192   -- bytes of a URL; servers take about as many

local address = {}

-- The reserved characters that RFC 3986 allows in a path or a query, and escapes.
local KEPT = "!$&'()*+,;=:@/?%"

-- Proxies and servers resolve the segments "." and "..". Some also do so when these are encoded.
local function has_dots(path)
  local plain = path:gsub("%%2[eE]", ".") .. "/"
  return plain:find("/%.%.?/") ~= nil
end

--- Checks a path, and encodes it. The path may have a query after a "?".
---@param value any
---@return string? path
---@return string? reason
function address.check_path(value)
  if type(value) ~= "string" then return nil, "must be a string, not " .. type(value) end
  if #value > LONGEST then return nil, ("must have at most %d bytes"):format(LONGEST) end
  if value:find("^/[%w%-_~][%w%-_~/]*$") then return value end   -- as most do
  if not value:find("^/[^/\\]") and value ~= "/" then
    return nil, "must begin with one /; url takes a whole URL"
  end
  if value:find("[%c\\#]") then
    return nil, "must not hold control characters, a backslash or a #"
  end
  if value:gsub("%%%x%x", ""):find("%", 1, true) then
    return nil, "must have two hexadecimal digits after each %; write % itself as %25"
  end
  if has_dots(value:match("^[^?]*")) then return nil, "must have no segments . and .." end
  return core.percent_encode(value, KEPT)
end

local function encode_pair(name, value)
  local kind = type(value)
  if kind == "number" then
    local digits, fault = core.json_encode(value)
    if not digits then return nil, fault end
    value = digits
  elseif kind == "boolean" then
    value = tostring(value)
  elseif kind ~= "string" then
    return nil, ("must have strings, numbers, booleans or lists of them, but %s is a %s"):format(
      core.printable(name), kind)
  end
  return core.percent_encode(name, "") .. "=" .. core.percent_encode(value, "")
end

local function add(pairsOf, name, value)
  local pair, reason = encode_pair(name, value)
  if not pair then return reason end
  pairsOf[#pairsOf + 1] = pair
end

-- Adds a pair for each value of the list.
local function add_list(pairsOf, name, list)
  local length, count = #list, 0
  for _ in pairs(list) do count = count + 1 end
  if count ~= length then
    return ("must have strings, numbers, booleans or lists of them, but %s is no list"):format(
      core.printable(name))
  end
  for i = 1, length do
    local reason = add(pairsOf, name, list[i])
    if reason then return reason end
  end
end

--- Encodes a table as a query, in the order of the names. A list repeats its name for each value.
---@param value any
---@return string? query
---@return string? reason
function address.check_query(value)
  if type(value) ~= "table" then return nil, "must be a table, not " .. type(value) end
  local names, parts = {}, {}
  for name in pairs(value) do
    if type(name) ~= "string" then return nil, "must have names as keys" end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local given = value[name]
    local reason = (type(given) == "table" and add_list or add)(parts, name, given)
    if reason then return nil, reason end
  end
  return table.concat(parts, "&")
end

-- Resolves a whole URL, or a reference relative to the API's URL (RFC 3986, section 4.2), such as
-- the link to the next page.
local function resolve(settings, text)
  local api = core.url(api_url.of(settings))
  local target = type(text) == "string" and core.url(text, api.text)
  if not target then return nil, "url must be a URL" end
  if target.hasUser then return nil, "url must not contain a user name" end
  if target.scheme ~= api.scheme or target.host ~= api.host or target.port ~= api.port then
    return nil, ("url leads to %s, but the token is for %s only; apiUrl names another origin")
      :format(core.printable(api_url.origin(target)), api_url.origin(api))
  end
  return target.text
end

--- Builds the whole URL of a request.
---@param settings corebank.auth.Settings
---@param path string? what check_path returned; nil: `url` counts
---@param url any the option `url`
---@param query string? what check_query returned
---@return string?
---@return string? mistake
function address.of(settings, path, url, query)
  local whole, mistake
  if path then
    whole = api_url.of(settings) .. path
  else
    whole, mistake = resolve(settings, url)
    if not whole then return nil, mistake end
  end
  if query and query ~= "" then
    whole = whole .. (whole:find("?", 1, true) and "&" or "?") .. query
  end
  if #whole > LONGEST then return nil, ("the URL must have at most %d bytes"):format(LONGEST) end
  return whole
end

return address
