--- Reads and checks the options of a request.

local address = require "corebank.auth.request.address"
local body = require "corebank.auth.request.body"
local check = require "corebank.auth.options.check"
local into = require "corebank.auth.request.into"

---@class corebank.auth.RequestOptions
---@field method string? default: GET, or POST with a body
---@field path string? after apiUrl; characters that a URL may not have are encoded
---@field url string? in place of `path`: a URL of apiUrl's origin, or a reference to one
---@field query table<string, string|number|boolean|table>? encoded; a list repeats its name
---@field headers table<string, string>?
---@field json any? sent as JSON
---@field body string|function|{file: string}|nil in place of `json`; a function returns pieces, and
--- nil at the end
---@field contentType string? of the body; default application/json with `json`, else
--- application/octet-stream
---@field timeout number? seconds for the whole call, with the token; default: the client's. With
--- `into`, or with a function or a file as body, it may take longer while bytes of a body move
---@field attempts integer? tries within `timeout`; default: the client's
---@field maxBytes integer? of the answer's body; default 8 MiB
---@field into function|string|nil takes the body of a 2xx in pieces; or the name of a file for it

---@class corebank.auth.Request the checked options
---@field fields table what core.transfer takes; the first header line is for the token
---@field source table? see body.lua
---@field sink table? see into.lua
---@field timeout number
---@field attempts integer
---@field isRepeatable boolean may be sent again even if it may have been carried out

local MAX_BYTES = 8 * 1024 * 1024
local MOST_BYTES = 1024 * 1024 * 1024

-- RFC 9110, section 9.2.2.
local IDEMPOTENT = {GET = true, HEAD = true, PUT = true, DELETE = true, OPTIONS = true}

-- CONNECT opens a tunnel. The answer to TRACE contains the token.
local REFUSED_METHODS = {CONNECT = true, TRACE = true}

local function check_method(value)
  if type(value) ~= "string" then return nil, "must be a string, not " .. type(value) end
  if not value:find "^[%u][%u%d_%-]*$" then return nil, "must be in capitals, such as GET" end
  if REFUSED_METHODS[value] then return nil, "must not be " .. value end
  return value
end

local OURS = {}
for name in ([[
  authorization host content-length content-type transfer-encoding accept-encoding expect connection
  keep-alive te trailer upgrade proxy-authorization proxy-connection http2-settings
]]):gmatch "%S+" do OURS[name] = true end

-- What a caller may use in place of a header.
local INSTEAD = {["content-type"] = "the option contentType"}

local function is_ours(name) return OURS[name] or name:find "^:" ~= nil, INSTEAD[name] end

local function check_headers(value) return check.header_table(value, is_ours) end

local function check_content_type(value)
  local ok, reason = check.text(value)
  if ok and value:find "%c" then return nil, "must carry no control characters" end
  if ok and value:find "^%s*$" then return nil, "must not be empty" end
  return ok, reason
end

local function taken(value) return value end

-- The check of each option. It returns the value to keep; or nil and what the value must be.
local CHECKS = {
  method = check_method, path = address.check_path, url = taken, query = address.check_query,
  headers = check_headers, json = taken, body = taken, contentType = check_content_type,
  timeout = check.timeout, attempts = check.attempts,
  maxBytes = check.number(0, MOST_BYTES, true), into = into.read,
}

local function unknown(name)
  local all = {}
  for known in pairs(CHECKS) do all[#all + 1] = {name = known} end
  return require "corebank.auth.options.suggest".mistake(name, all, "docs/api.md")
end

local function read_values(given)
  for name in pairs(given) do
    if not CHECKS[name] then return nil, unknown(name) end
  end
  local values = {}
  for name in pairs(getmetatable(given) and CHECKS or given) do   -- also a value from a metatable
    local value = given[name]
    if value ~= nil then
      local kept, reason = CHECKS[name](value)
      if kept == nil then return nil, ("%s %s"):format(name, reason) end
      values[name] = kept
    end
  end
  if (values.path == nil) == (values.url == nil) then
    return nil, "either path or url is needed"
  end
  return values
end

-- ---- header lines ------------------------------------------------------------------------------

-- Returns whether there is an Accept header, and the value of Idempotency-Key.
local function look_into(lines)
  local hasAccept, key = false, nil
  for _, line in ipairs(lines) do
    local name, value = line:match "^([^:;]+)[:;]%s*(.*)$"
    name = name:lower()
    hasAccept = hasAccept or name == "accept"
    if name == "idempotency-key" then key = value end
  end
  return hasAccept, key
end

local NO_LINES = {}

-- Returns the lines, of which the first is reserved for the token, and whether there is an
-- Idempotency-Key; or nil and a mistake.
local function header_lines(values, hasBody)
  local own = values.headers or NO_LINES
  local hasAccept, key = look_into(own)
  if key == "" then return nil, "headers: Idempotency-Key must not be empty" end
  local lines = hasAccept and {false} or {false, "Accept: application/json, */*;q=0.5"}
  for _, line in ipairs(own) do lines[#lines + 1] = line end
  if hasBody then
    local kind = values.contentType or values.json ~= nil and "application/json"
      or "application/octet-stream"
    lines[#lines + 1] = "Content-Type: " .. kind
  end
  if #lines > check.MOST_HEADERS then
    return nil, ("headers must leave room for ours: %d lines altogether"):format(check.MOST_HEADERS)
  end
  return lines, key ~= nil
end

--- Reads the options of a request.
---@param given corebank.auth.RequestOptions
---@param settings corebank.auth.Settings the client's
---@return corebank.auth.Request?
---@return string? mistake
return function(given, settings)
  if type(given) ~= "table" then
    return nil, "a table of options is needed, not " .. type(given)
  end
  local values, mistake = read_values(given)
  if not values then return nil, mistake end
  local text, source, url
  text, source, mistake = body.read(values.json, values.body)
  if mistake then return nil, mistake end
  local hasBody = text ~= nil or source ~= nil
  if values.contentType and not hasBody then return nil, "contentType is given without a body" end
  url, mistake = address.of(settings, values.path, values.url, values.query)
  if not url then return nil, mistake end
  local lines, isKeyed = header_lines(values, hasBody)
  if not lines then return nil, isKeyed end
  local method = values.method or (hasBody and "POST" or "GET")
  if method == "HEAD" and hasBody then return nil, "a HEAD request cannot have a body" end
  local timeout = values.timeout or settings.timeout
  local isRepeatable = IDEMPOTENT[method] or isKeyed or false
  local fields = {url = url, method = method, headers = lines, once = not isRepeatable,
    maxBytes = values.maxBytes or MAX_BYTES, decode = true, http2 = true, keepHeaders = true}
  if text then fields.body = text end
  if source or values.into then
    fields.upload, fields.stream, fields.idle = source ~= nil, values.into ~= nil, timeout
  end
  return {source = source, sink = values.into, timeout = timeout,
    attempts = values.attempts or settings.attempts, isRepeatable = isRepeatable, fields = fields}
end
