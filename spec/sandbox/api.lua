--- The sandbox bank's API: a GET of anything under /api/accounts/ by whoever has the bank's latest
-- token, until that is revoked. Each scenario is a bank of its own, with an API below its base URL.
-- What ends in /forbidden rejects every token.

local api = {}
local shared = ngx.shared.bank

local ANSWERS = {
  [200] = '{"accounts":[{"accountId":"1","currency":"EUR"}]}',
  [401] = '{"errorCode":"API-0401","errorMessage":"The access token is not valid"}',
}

--- The scenario's bank has issued a token: it is the one that counts from now on.
function api.issued(name, token)
  if type(token) == "string" then shared:set("current:" .. name, token) end
end

--- No token counts until the next is issued.
function api.revoke(name)
  shared:delete("current:" .. name)
  return {}
end

--- How many calls there were.
function api.calls(name)
  return {calls = shared:get("calls:" .. name) or 0}
end

local function is_allowed(name)
  local current = shared:get("current:" .. name)
  return current ~= nil and ngx.var.http_authorization == "Bearer " .. current
    and not ngx.var.uri:find "/forbidden$"
end

--- Whether a request is for the API.
function api.is_wanted()
  return ngx.req.get_method() == "GET" and ngx.var.uri:find("/api/accounts/", 1, true) ~= nil
end

function api.answer(name)
  shared:incr("calls:" .. name, 1, 0)
  local status = is_allowed(name) and 200 or 401
  ngx.status = status
  if status == 401 then ngx.header["WWW-Authenticate"] = 'Bearer error="invalid_token"' end
  ngx.header["Content-Length"] = #ANSWERS[status]
  ngx.print(ANSWERS[status])
end

return api
