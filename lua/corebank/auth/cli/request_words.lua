--- Makes the options of bank:request from the words of the command `request`. No message contains a
-- value, which may be a secret.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"

local PIECE = 65536   -- bytes of the standard input at a time

local function refuse(message)
  exits.stop(exits.USAGE, message)
end

-- The text as a JSON string.
local function json_string(text)
  local written, reason = core.json_encode(text)
  if not written then refuse("--json " .. reason:gsub("^value ", "")) end
  return written
end

-- Whether a text is JSON. Its numbers may have any number of digits: they are sent as text.
local function is_json(text)
  local value, reason = core.json_decode(text, true)
  return value ~= nil or reason == nil
end

-- A member's name for a message, with a space before it; empty if it does not look like a name.
local function shown(name)
  return #name <= 32 and name:find "^[%w_]+$" and " " .. name or ""
end

-- The body as a JSON object. Its members have the order of the words. Values after := stay as they
-- are.
local function json_object(words)
  local members, seen = {}, {}
  for i, word in ipairs(words) do
    local name, sign, value = word:match "^([^=]-)(:?=)(.*)$"
    if not name or name == "" then
      refuse "--json must look like NAME=TEXT or NAME:=JSON"
    elseif seen[name] then
      refuse(("--json%s must be given once"):format(shown(name)))
    elseif sign == ":=" and not is_json(value) then
      refuse(("--json%s: the text after := is not JSON; NAME=TEXT is for a string"):format(
        shown(name)))
    end
    seen[name] = true
    members[i] = json_string(name) .. ":" .. (sign == ":=" and value or json_string(value))
  end
  return "{" .. table.concat(members, ",") .. "}"
end

-- The parameters by name. The value is a list, because a name may be given several times.
local function query_of(words)
  local query = {}
  for _, word in ipairs(words) do
    local name, value = word:match "^([^=]+)=(.*)$"
    if not name then refuse "--query must look like NAME=VALUE" end
    query[name] = query[name] or {}
    table.insert(query[name], value)
  end
  return query
end

-- A function that returns the standard input in pieces.
local function standard_input()
  return function()
    return io.stdin:read(PIECE)
  end
end

local function body_of(words)
  local data = words.data
  if words.json then return json_object(words.json) end
  if data == "-" or data == "@-" then return standard_input() end
  local path = data and data:match "^@(.*)$"
  return path and {file = path} or data
end

-- Removes the content type from the headers, and returns it: bank:request has an option for it.
local function take_content_type(headers)
  for name, value in pairs(headers) do
    if name:lower() == "content-type" then
      headers[name] = nil
      return value
    end
  end
  return "application/json"
end

---@param words table from arguments.read, after from_words.options has read its files
---@return table # the options of bank:request
return function(words)
  local headers, body = words.requestHeaders or {}, body_of(words)
  local path = words.requestPath
  local request = {
    method = words.method and words.method:upper() or body and "POST" or "GET",
    headers = headers, body = body, query = words.query and query_of(words.query),
    contentType = body and take_content_type(headers) or nil,
  }
  if path:find "^https?://" then
    request.url = path
  else
    request.path = path:find "^/" and path or "/" .. path
  end
  return request
end
