--- What the sandbox bank's API has: accounts, statements, transfers, an echo. Each handler gets the
-- request {name, method, path, query, headers, body, bytes} and returns {status, body, type,
-- headers}. A body is a string, or {bytes = N}: a statement of that size. api.lua calls them.

local cjson = require "cjson.safe"

local resources = {}
local shared = ngx.shared.bank

local ACCOUNTS = 60
local PAGE = 25
local TRANSFERS = "/api/payments/v1/transfers"

local function failed(status, message)
  local body = cjson.encode{errorCode = ("API-%04d"):format(status), errorMessage = message}
  return {status = status, body = body}
end
resources.failed = failed

-- As text: a number of cjson would not keep the two digits of cents.
local function account(number)
  return ('{"accountId":"%d","currency":"EUR","name":"Account %d","balance":%d.%02d}'):format(
    number, number, number * 1000, number)
end

local function accounts(request)
  local page = tonumber(request.query.page or 1)
  local size = tonumber(request.query.size or PAGE)
  if not page or page < 1 or not size or size < 1 then
    return failed(400, "page and size are whole numbers above zero")
  end
  local pages, list = math.ceil(ACCOUNTS / size), {}
  for number = (page - 1) * size + 1, math.min(page * size, ACCOUNTS) do
    table.insert(list, account(number))
  end
  return {body = ('{"accounts":[%s],"page":%d,"pages":%d}'):format(
    table.concat(list, ","), page, pages)}
end

local function one_account(_, number)
  number = tonumber(number)
  if not number or number < 1 or number > ACCOUNTS then
    return failed(404, "There is no such account")
  end
  return {body = account(number)}
end

local function statement(request)
  return {
    type = request.query.gzip and "text/csv" or "application/octet-stream",
    body = {bytes = tonumber(request.query.bytes or 4096), chunked = request.query.length == "no"},
  }
end

-- The amount's digits as they were sent: cjson would round them.
local function digits_of_amount(body)
  return body:match '"amount"%s*:%s*(%-?[%d.eE+-]+)' or body:match '"amount"%s*:%s*"([%d.]+)"'
end

local function do_transfer(request, sent)
  local id = tostring(shared:incr("done:" .. request.name, 1, 0))
  local body = ('{"transferId":"%s","status":"accepted","from":%s,"to":%s,"amount":%s}'):format(
    id, cjson.encode(sent.from), cjson.encode(sent.to), digits_of_amount(request.body))
  shared:set("transfer:" .. request.name .. ":" .. id, body)
  return id, body
end

local function created(request, id, body)
  return {status = 201, body = body, headers = {Location = request.path .. "/" .. id}}
end

-- What makes two bodies the same transfer, in whatever order their members are.
local function fingerprint(request, sent)
  return ngx.md5(cjson.encode{sent.from, sent.to, digits_of_amount(request.body)})
end

-- The same key again: the same answer, when the transfer is the same.
local function done_before(request, sent, known)
  local id, md5 = known:match "^(%d+) (%x+)$"
  if not id or md5 ~= fingerprint(request, sent) then
    return failed(409, "This Idempotency-Key belongs to another transfer")
  end
  local answer = created(request, id, shared:get("transfer:" .. request.name .. ":" .. id))
  answer.headers["Idempotent-Replayed"] = "true"
  return answer
end

local function transfer(request)
  local sent = cjson.decode(request.body)
  local is_whole = type(sent) == "table" and sent.from and sent.to
  if not is_whole or not digits_of_amount(request.body) then
    return failed(400, "A transfer has from, to and amount")
  end
  local key = request.headers["idempotency-key"]
  if not key then
    return created(request, do_transfer(request, sent))
  end
  local name = "key:" .. request.name .. ":" .. key
  if not shared:add(name, "in work") then
    return done_before(request, sent, shared:get(name))
  end
  local id, body = do_transfer(request, sent)
  shared:set(name, id .. " " .. fingerprint(request, sent))
  return created(request, id, body)
end

local function one_transfer(request, id)
  local body = shared:get("transfer:" .. request.name .. ":" .. id)
  return body and {body = body} or failed(404, "There is no such transfer")
end

local function echo(request)
  local is_text = ngx.re.find(request.body, "^", "u")
  return {body = cjson.encode{
    method = request.method, path = request.path, query = request.query,
    headers = request.headers, bytes = request.bytes, uri = ngx.var.request_uri,
    body = is_text and request.body or nil, bodyBase64 = ngx.encode_base64(request.body),
  }}
end

local LIST = {
  {"GET", "^/api/accounts/v1/accounts$", accounts},
  {"GET", "^/api/accounts/v1/accounts/([^/]+)$", one_account},
  {"GET", "^/api/accounts/v1/accounts/[^/]+/statement$", statement},
  {"POST", "^" .. TRANSFERS .. "$", transfer},
  {"GET", "^" .. TRANSFERS .. "/([^/]+)$", one_transfer},
  {nil, "^/api/echo", echo},
}

--- Notes that a request was read to its end.
function resources.note(request)
  if request.method == "POST" and request.path == TRANSFERS then
    shared:incr("received:" .. request.name, 1, 0)
  end
end

--- Carries a request out.
function resources.answer(request)
  local wrong_method
  for _, entry in ipairs(LIST) do
    local method, pattern, handler = entry[1], entry[2], entry[3]
    local found = request.path:match(pattern)
    local asked = request.method == "HEAD" and "GET" or request.method
    if found and (not method or method == asked) then
      return handler(request, found)
    end
    wrong_method = wrong_method or found
  end
  if wrong_method then
    return failed(405, "The method is not allowed")
  end
  return failed(404, "There is nothing at this address")
end

--- Transfers of a scenario: POSTs that were read to their end, and transfers that were made.
function resources.transfers(name)
  return {
    received = shared:get("received:" .. name) or 0,
    done = shared:get("done:" .. name) or 0,
  }
end

return resources
