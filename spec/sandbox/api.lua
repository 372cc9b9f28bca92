--- The sandbox bank's API, at /api/accounts/, /api/payments/ and /api/echo of each scenario's base
-- URL and of the bank's own; resources.lua has what is there. Runs inside nginx.
--
-- In a scenario the token that its bank issued last counts, until it is revoked. At the bank's own
-- URL each token that this bank issued counts. A path that ends in /forbidden rejects every token.
--
-- A step changes the answer to one request. It comes from the scenario's script (`Scenario:api`),
-- else from the query, where its fields are written ?status=503&retryAfter=2. Nothing is done for a
-- request whose step has a status of 300 or more, or a redirect.
--   status      the HTTP status
--   retryAfter  a Retry-After
--   headers     name -> value or list of values (in a script only)
--   body        these bytes (in a script only, Base64 on the admin port)
--   delay       seconds before the answer
--   redirect    a Location; the status is then 307 unless given
--   close       the request is read and carried out, then the connection closes without an answer
--   pause       seconds before each further 64 KiB of the answer's body
--   cut         so many bytes of the answer's body are sent, then the connection closes
--   early       the answer (401 unless there is a status) comes after so many bytes of the body,
--               then the connection closes. On HTTP/2: before the body

local cjson = require "cjson.safe"
local resources = require "spec.sandbox.resources"
local steps = require "spec.sandbox.steps"

local api = {}
local shared = ngx.shared.bank

-- A journal keeps no more of a body, and no digest of a larger one.
local KEPT = 65536
local DIGESTED = 128 * 1048576

-- 64 KiB of lines that are numbered, so that a reader sees where a piece came from.
local lines = {}
for n = 0, 4095 do
  lines[n + 1] = ("line %010d\n"):format(n)
end
local PIECE = table.concat(lines)

--- The scenario's bank has issued a token: it is the one that counts from now on.
function api.issued(name, token)
  if type(token) == "string" then
    shared:set("current:" .. name, token)
  end
end

--- No token counts until the next is issued.
function api.revoke(name)
  shared:delete("current:" .. name)
  return {}
end

--- How many requests there were.
function api.calls(name)
  return {calls = shared:get("calls:" .. name) or 0}
end

--- What arrived, in order.
function api.journal(name)
  local list = {}
  for i = 1, shared:get("journals:" .. name) or 0 do
    local entry = shared:get("journal:" .. name .. ":" .. i)
    list[#list + 1] = entry and cjson.decode(entry)
  end
  return {journal = list}
end

local function token_of(request)
  return (request.headers.authorization or ""):match "^Bearer (.+)$"
end

local function is_allowed(request)
  local token = token_of(request)
  if not token or request.path:find "/forbidden$" then
    return false
  elseif request.name == "" then
    return token:find("canary-token-", 1, true) == 1
  end
  return token == shared:get("current:" .. request.name)
end

-- The whole body. A body beyond nginx's buffer is in a file.
local function read_body()
  local ok = pcall(ngx.req.read_body)
  local file = ok and ngx.req.get_body_file()
  if not file then
    return ok and ngx.req.get_body_data() or ""
  end
  local handle = assert(io.open(file, "rb"))
  local bytes = handle:read "*a"
  handle:close()
  return bytes
end

-- The first bytes of a body that is still on its way.
local function read_early(count)
  if count == 0 or ngx.req.http_version() >= 2 then
    return ""
  end
  return assert(ngx.req.socket()):receive(count) or ""
end

local function read_request(step)
  local name, path = ngx.var.uri:match "^/s/([^/]+)(/.*)$"
  local body = step.early and read_early(tonumber(step.early)) or read_body()
  local headers = {}
  for field, value in pairs(ngx.req.get_headers(0)) do
    headers[field] = type(value) == "table" and table.concat(value, ", ") or value
  end
  return {
    name = name or "", path = path or ngx.var.uri, method = ngx.req.get_method(),
    query = ngx.req.get_uri_args(0), headers = headers, body = body, bytes = #body,
  }
end

-- A root without a scenario has no journal: the bench would fill the memory.
local function note(request, status)
  shared:incr("calls:" .. request.name, 1, 0)
  resources.note(request)
  if request.name == "" then
    return
  end
  local n = shared:incr("journals:" .. request.name, 1, 0)
  shared:safe_set("journal:" .. request.name .. ":" .. n, cjson.encode{
    method = request.method, uri = ngx.var.request_uri, path = request.path,
    query = request.query, headers = request.headers, token = token_of(request),
    body = ngx.encode_base64(request.body:sub(1, KEPT)), bytes = request.bytes,
    md5 = request.bytes <= DIGESTED and ngx.md5(request.body) or nil,
    port = tonumber(ngx.var.server_port), protocol = ngx.var.server_protocol,
    connection = tonumber(ngx.var.connection), status = status, time = ngx.req.start_time(),
  })
end

local FROM_QUERY = {"status", "retryAfter", "delay", "redirect", "close", "pause", "cut",
  "early"}

local function step_of_query()
  local query, step = ngx.req.get_uri_args(0), {}
  for _, field in ipairs(FROM_QUERY) do
    step[field] = query[field]
  end
  return step
end

local function is_refused(step)
  return step.redirect or (tonumber(step.status) or 200) >= 300
end

-- What the step says in place of what the resource would.
local function answer_to(request, step)
  local status = tonumber(step.status) or (step.redirect and 307) or (step.early and 401)
  local answer
  if status == 401 or (not step.early and not is_allowed(request)) then
    answer = resources.failed(401, "The access token is not valid")
    answer.headers = {["WWW-Authenticate"] = 'Bearer error="invalid_token"'}
  elseif is_refused(step) or step.early then
    answer = resources.failed(status, "This answer was asked for")
  else
    answer = resources.answer(request)
    answer.status = status or answer.status
  end
  answer.body = step.body and ngx.decode_base64(step.body) or answer.body
  return answer
end

-- One piece of a body of `size` bytes from `offset` on.
local function piece_of(body, offset, size)
  if type(body) == "string" then
    return body:sub(offset + 1, size)
  end
  return PIECE:sub(1, size - offset)
end

local function send_body(body, size, pause)
  local offset = 0
  while offset < size do
    if pause and offset > 0 then
      ngx.sleep(pause)
    end
    local piece = piece_of(body, offset, size)
    if not ngx.print(piece) or not ngx.flush(true) then
      return
    end
    offset = offset + #piece
  end
end

local function send(answer, step)
  local body = answer.body
  local size = type(body) == "string" and #body or body.bytes
  ngx.status = answer.status or 200
  ngx.header["Content-Type"] = answer.type or "application/json"
  ngx.header["X-Request-Id"] = ngx.var.request_id
  ngx.header["Retry-After"] = step.retryAfter
  ngx.header.Location = step.redirect
  for field, value in pairs(answer.headers or {}) do
    ngx.header[field] = value
  end
  steps.send_headers(step)
  if not body.chunked and ngx.status ~= 204 then
    ngx.header["Content-Length"] = size
  end
  ngx.send_headers()
  if ngx.req.get_method() ~= "HEAD" and ngx.status ~= 204 then
    send_body(body, math.min(size, tonumber(step.cut) or size), tonumber(step.pause))
  end
end

--- Serves a request.
function api.answer()
  local name = ngx.var.uri:match "^/s/([^/]+)" or ""
  local step = steps.next("api", name) or step_of_query()
  local request = read_request(step)
  if step.delay then
    ngx.sleep(tonumber(step.delay))
  end
  local answer = answer_to(request, step)
  note(request, answer.status or 200)
  if step.close and not step.early then
    return ngx.exit(444)
  end
  send(answer, step)
  if step.cut or step.close then
    return ngx.exit(444)
  end
end

return api
