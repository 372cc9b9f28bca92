--- Where the requests of a client go: the URL that their paths are appended to.

local USUAL_PORTS = {https = "443", http = "80"}
local DEFAULT_PATH = "/api/auth/v1/authenticate"

local api_url = {DEFAULT_PATH = DEFAULT_PATH}

--- The origin, as messages name it.
---@param url table what core.url returns
---@return string # e.g. "https://bank.example:8443"
function api_url.origin(url)
  local port = url.port ~= USUAL_PORTS[url.scheme] and ":" .. url.port or ""
  return ("%s://%s%s"):format(url.scheme, url.host, port)
end

--- Keeps the URL in the settings, unless `of` can tell it from their `url`: 100,000 idle clients
-- have them.
---@param values table the settings with `url`
---@param text string without a slash at its end
function api_url.keep(values, text)
  values.apiUrl = text .. DEFAULT_PATH ~= values.url and text or nil
end

--- The URL, without a slash at its end.
---@param settings corebank.auth.Settings
---@return string
function api_url.of(settings)
  return settings.apiUrl or settings.url:sub(1, -#DEFAULT_PATH - 1)
end

return api_url
