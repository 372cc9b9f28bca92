--- What the sandbox bank answers; runs inside the nginx that spec/sandbox/start sets up.
--
-- `authenticate` is the bank as documented. `grant` gives such tokens to peers that support only
-- RFC 6749: it is the client credentials grant at /oauth2/token, and costs the same. `play` serves
-- /s/NAME/...: each POST gets the next of the steps that are registered for NAME, and all requests
-- are captured. `administer` lets specs register steps and read captures; spec/sandbox/init.lua is
-- its client.
--
-- A step is a table. An empty one is the documented behaviour; these fields change it:
--   status      the HTTP status; if it is not 200, the body is an error as the bank writes it
--   delay       seconds before the answer
--   headers     name -> value or list of values
--   body        these bytes (Base64 on the admin port) in place of the bank's JSON
--   endless     the body is repeated for ever
--   bomb        the body is a gzip bomb
--   redirect    a Location; the status is then 307 unless given
--   accept      "any": credentials are not checked
--   token, tokenType, validity    values for accessToken, tokenType, tokenValiditySec
--   size        length of the generated token
--   expiration  expirationTime: "ms" (default) or "s" after the epoch, false for none, or a value
--   omit        names of reply fields to leave out

local api = require "spec.sandbox.api"
local cjson = require "cjson.safe"
local resources = require "spec.sandbox.resources"
local steps = require "spec.sandbox.steps"

local PATH = "/api/auth/v1/authenticate"
local CLIENT_ID = os.getenv "SANDBOX_CLIENT_ID"
local CLIENT_SECRET = os.getenv "SANDBOX_CLIENT_SECRET"

local ERRORS = {
  [400] = { "AUTH-0400", "The request is not valid" },
  [401] = { "AUTH-0401", "The client id or the client secret is not correct" },
  [403] = { "AUTH-0403", "The client is not allowed to authenticate" },
  [404] = { "AUTH-0404", "There is nothing at this address" },
  [405] = { "AUTH-0405", "The method is not allowed" },
  [415] = { "AUTH-0415", "The content type is not supported" },
  [429] = { "AUTH-0429", "Too many requests" },
}

local bank = {}
local shared = ngx.shared.bank

local function send(status, body)
  ngx.status = status
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

local function error_body(status)
  local known = ERRORS[status] or { "AUTH-0500", "The request could not be processed" }
  return cjson.encode{ errorCode = known[1], errorMessage = known[2] }
end

local function send_error(status)
  if status == 405 then
    ngx.header.Allow = "POST"
  end
  return send(status, error_body(status))
end

-- Characters, not bytes: UTF-8 continuation bytes do not count.
local function is_credential(value)
  if type(value) ~= "string" then
    return false
  end
  local _, length = value:gsub("[^\128-\191]", "")
  return length >= 1 and length <= 100
end

-- The status that refuses this request, or nothing.
local function refusal(body)
  local media_type = (ngx.var.content_type or ""):match "^%s*([^;%s]*)"
  if media_type:lower() ~= "application/json" then
    return 415
  end
  local request = cjson.decode(body)
  if type(request) ~= "table" or not is_credential(request.clientId)
    or not is_credential(request.clientSecret) then
    return 400
  end
  if request.clientId ~= CLIENT_ID or request.clientSecret ~= CLIENT_SECRET then
    return 401
  end
end

local issued = 0
local boot = ngx.md5(ngx.now() .. tostring(shared)):sub(1, 8)

-- Unique across workers and restarts, and easy to find where it must not be.
local function new_token(size)
  issued = issued + 1
  local token = ("canary-token-%s-%d-%d"):format(boot, ngx.worker.pid(), issued)
  return size and (token .. "-" .. ("x"):rep(size)):sub(1, size) or token
end

local function token_body(step, name)
  local validity = step.validity == nil and 3600 or step.validity
  local expiration = step.expiration == nil and "ms" or step.expiration
  local expires = ngx.now() + (tonumber(validity) or 3600)
  if expiration == "ms" then
    expiration = math.floor(expires * 1000)
  elseif expiration == "s" then
    expiration = math.floor(expires)
  end
  local reply = {
    accessToken = step.token == nil and new_token(step.size) or step.token,
    tokenType = step.tokenType == nil and "Bearer" or step.tokenType,
    expirationTime = expiration or nil,
    tokenValiditySec = validity,
  }
  for _, field in ipairs(step.omit or {}) do
    reply[field] = nil
  end
  api.issued(name, reply.accessToken)
  return cjson.encode(reply)
end

local function read_body()
  ngx.req.read_body()
  return ngx.req.get_body_data() or ""
end

function bank.authenticate()
  local body = read_body()
  if ngx.req.get_method() ~= "POST" then
    return send_error(405)
  end
  shared:incr("posts", 1, 0)
  local refused = refusal(body)
  if refused then
    return send_error(refused)
  end
  return send(200, token_body({}, ""))
end

-- Client id and secret out of a form, or as RFC 6749 has them in an Authorization header.
local function form_credentials(form)
  local basic = (ngx.var.http_authorization or ""):match "^Basic%s+(%S+)$"
  if not basic then
    return form.client_id, form.client_secret
  end
  local id, secret = (ngx.decode_base64(basic) or ""):match "^([^:]*):(.*)$"
  return id and ngx.unescape_uri(id), secret and ngx.unescape_uri(secret)
end

local function send_grant_error(status, code)
  return send(status, cjson.encode{ error = code })
end

function bank.grant()
  local form = ngx.decode_args(read_body())
  if ngx.req.get_method() ~= "POST" then
    return send_error(405)
  end
  shared:incr("posts", 1, 0)
  if form.grant_type ~= "client_credentials" then
    return send_grant_error(400, "unsupported_grant_type")
  end
  local id, secret = form_credentials(form)
  if id ~= CLIENT_ID or secret ~= CLIENT_SECRET then
    return send_grant_error(401, "invalid_client")
  end
  return send(200, cjson.encode{
    access_token = new_token(), token_type = "Bearer", expires_in = 3600,
  })
end

function bank.nothing_here()
  return send_error(404)
end

local function capture(name, body)
  local n = shared:incr("requests:" .. name, 1, 0)
  -- When the memory is full, a capture is lost rather than a step or a count.
  shared:safe_set("request:" .. name .. ":" .. n, cjson.encode{
    method = ngx.req.get_method(),
    uri = ngx.var.request_uri,
    header = ngx.req.raw_header(),
    body = ngx.encode_base64(body),
    connection = tonumber(ngx.var.connection),
    protocol = ngx.var.ssl_protocol,
    time = ngx.req.start_time(),
  })
end

-- Until the client hangs up. The pause gives other connections their turn, however fast it reads.
local function send_for_ever(chunk)
  while ngx.print(chunk) and ngx.flush(true) do
    ngx.sleep(0.001)
  end
end

local function read_bomb()
  local file = assert(io.open(ngx.config.prefix() .. "bomb.gz", "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local function follow(step, body, name)
  if step.delay then
    ngx.sleep(step.delay)
    ngx.update_time()
  end
  local status = step.status or (step.redirect and 307) or 200
  local scripted = step.body and ngx.decode_base64(step.body)
  if step.bomb then
    scripted = read_bomb()
    ngx.header["Content-Encoding"] = "gzip"
  end
  if step.redirect then
    ngx.header.Location = step.redirect
    scripted = scripted or ""
  end
  if not scripted and status == 200 and step.accept ~= "any" then
    status = refusal(body) or 200
  end
  steps.send_headers(step)
  if step.endless then
    ngx.status = status
    return send_for_ever(scripted or (" "):rep(16384))
  end
  return send(status, scripted or (status == 200 and token_body(step, name)) or error_body(status))
end

function bank.play()
  local name = ngx.var.uri:match "^/s/([^/]+)" or ""
  local body = read_body()
  capture(name, body)
  if ngx.req.get_method() ~= "POST" then
    return send_error(405)
  end
  shared:incr("posts", 1, 0)
  shared:incr("posts:" .. name, 1, 0)
  local step = steps.next("bank", name)
  if step then
    return follow(step, body, name)
  elseif ngx.var.uri:sub(-#PATH) == PATH then
    return follow({}, body, name)
  end
  return send_error(404)
end

local function captured(name)
  local list = {}
  for i = 1, shared:get("requests:" .. name) or 0 do
    local request = shared:get("request:" .. name .. ":" .. i)
    list[#list + 1] = request and cjson.decode(request)
  end
  return list
end

local ADMIN = {
  ["GET posts"] = function(name)
    return { posts = shared:get(name == "" and "posts" or "posts:" .. name) or 0 }
  end,
  ["GET requests"] = function(name)
    return { requests = captured(name) }
  end,
  ["POST steps"] = function(name, body)
    steps.register("bank", name, assert(cjson.decode(body)))
    return {}
  end,
  ["POST api"] = function(name, body)
    steps.register("api", name, assert(cjson.decode(body)))
    return {}
  end,
  ["GET calls"] = api.calls,
  ["GET journal"] = api.journal,
  ["GET transfers"] = resources.transfers,
  ["POST revoke"] = api.revoke,
  ["POST reset"] = function()
    shared:flush_all()
    return {}
  end,
}

--- GET /posts[/NAME], /requests/NAME, /calls[/NAME], /journal/NAME, /transfers[/NAME];
-- POST /steps/NAME, /api/NAME, /revoke/NAME, /reset
function bank.administer()
  local verb, name = ngx.var.uri:match "^/(%a+)/?([^/]*)$"
  local action = ADMIN[ngx.req.get_method() .. " " .. (verb or "")]
  if not action then
    return send(404, "{}")
  end
  return send(200, cjson.encode(action(name, read_body())))
end

return bank
