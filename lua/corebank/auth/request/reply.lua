--- The reply to a request: an HTTP answer, whatever its status.

local core = require "corebank.auth.core"
local json_options = require "corebank.auth.options.json"

---@class corebank.auth.Reply
---@field status integer
---@field ok boolean whether the status is 200 to 299
---@field headers table<string, string> by name, in upper or lower case; the values of several
--- lines are joined by ", ", those of Set-Cookie by a line feed
---@field headerLines string all headers in the answer's order, each as "Name: value\n"
---@field keptHeaders userdata private: what the headers are made of
---@field body string? nil if `into` took it
---@field requestId string? the bank's identifier of the request
local Reply = {}

local any_case = {__index = function(headers, name)
  return type(name) == "string" and rawget(headers, name:lower()) or nil
end}

-- Several values of a name are joined at the end, all at once: a server may send thousands.
local function headers_of(lines)
  local headers, several = {}, {}
  for name, value in lines:gmatch "([^:\n]+): ([^\n]*)\n" do
    local lower = name:lower()
    local values = several[lower]
    if values then
      values[#values + 1] = value
    elseif headers[lower] then
      several[lower] = {headers[lower], value}
    else
      headers[lower] = value
    end
  end
  for name, values in pairs(several) do
    headers[name] = table.concat(values, name == "set-cookie" and "\n" or ", ")
  end
  return setmetatable(headers, any_case)
end

-- The headers become a text and a table at the first access: most callers do not read them.
local MADE_LATER = {
  headerLines = function(self) return tostring(self.keptHeaders) end,
  headers = function(self) return headers_of(self.headerLines) end,
}

local meta = {__index = function(self, name)
  local make = MADE_LATER[name]
  if not make then return Reply[name] end
  self[name] = make(self)
  return self[name]
end}

--- Decodes the body as auth.json.decode does.
---@param given {bigNumbers: "string"?}? the options of auth.json.decode
---@return any value nil when there is none; JSON's null is auth.null
---@return string? message
function Reply:json(given)
  local bigAsText, mistake = json_options(given)
  if mistake then error("json: " .. mistake, 2) end
  if self.body == nil then return nil, "the body went where `into` said" end
  if self.body == "" then return nil, "the reply has no body" end
  return core.json_decode(self.body, bigAsText)
end

function meta:__tostring()
  local size = self.body and #self.body .. " bytes" or "its body is where `into` said"
  return ("reply %d, %s"):format(self.status, size)
end

--- Makes a reply of a transfer that is done.
---@param status integer
---@param transfer table
---@param hasBody boolean whether the reply has the body; false if `into` took it
---@param requestId string?
---@return corebank.auth.Reply
return function(status, transfer, hasBody, requestId)
  return setmetatable({status = status, ok = status >= 200 and status <= 299,
    keptHeaders = transfer:headers(), body = hasBody and transfer:body() or nil,
    requestId = requestId}, meta)
end
