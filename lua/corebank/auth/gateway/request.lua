--- The gateway's work in a request: it puts the token into the request's variable, and checks
-- whether the upstream rejected the token.
--
-- The token is in the variable only. Subrequests, mirrors and error pages inherit headers, and do
-- not send the variable unless their location says so.

local banks = require "corebank.auth.gateway.banks"
local log = require "corebank.auth.gateway.log"
local options = require "corebank.auth.gateway.options"
local use = require "corebank.auth.gateway.use"
local variables = require "corebank.auth.gateway.variable"

local ngx = ngx
local get_phase = ngx.get_phase

local UNAUTHENTICATED = "16"    -- a status of gRPC

local request = {}

-- The phases in which nginx can still refuse the request. The headers for the upstream are made
-- later.
local CAN_INJECT = {rewrite = true, server_rewrite = true, access = true, content = true}

-- ---- refusing ----------------------------------------------------------------------------------

-- nginx itself answers 503, so that error_page works.
local function refuse(bank, problem)
  ngx.header["Retry-After"] = use.refuse(bank, problem)
  return ngx.exit(ngx.HTTP_SERVICE_UNAVAILABLE)
end

-- ---- rejection ---------------------------------------------------------------------------------

-- Whether the variable's value is this token, with or without a scheme.
local function carries(value, token)
  local text = token.accessToken
  return value == text or value:sub(-#text - 1) == " " .. text
end

-- Rejects the client's token if the value carries it. Returns whether the rejection counts.
local function reject_value(bank, value)
  local token = bank.client and bank.client:peek()
  return token ~= nil and carries(value, token) and use.reject(bank, token)
end

local function reject_carried(bank)
  for variable in pairs(bank.variables) do
    local value = variables.get(variable)
    if value and value ~= "" and reject_value(bank, value) then return true end
  end
  return false
end

-- The status of the last upstream; nil when no upstream was asked. The request's own status may be
-- that of an error page.
local function upstream_status()
  local all = ngx.var.upstream_status   -- such as "502, 200"
  return all and tonumber(all:sub(-3))
end

local function grpc_rejects()
  return ngx.var.upstream_http_grpc_status == UNAUTHENTICATED
    or get_phase() == "log" and ngx.var.upstream_trailer_grpc_status == UNAUTHENTICATED
end

-- Whether the upstream's answer rejects the token of the request.
local function is_rejected(bank)
  local status = upstream_status()
  return status ~= nil and (bank.rejects[status] or grpc_rejects())
end

-- ---- inject ------------------------------------------------------------------------------------

-- Whether an internally redirected request has asked no upstream. Then nginx itself answered 401,
-- for example to a client without a password, and `error_page 401` must not let that client in.
-- In the access phase a subrequest of `auth_request` may have filled the variable before.
local function was_kept_out()
  return get_phase() ~= "access" and ngx.req.is_internal() and not upstream_status()
end

-- Fills the variable and returns the token; or nil, and the problem or the status to answer.
local function fill(bank, variable, scheme, value)
  local rejected
  if value ~= "" then   -- the request has had a token: mostly, this is an error page
    ngx.var[variable] = ""
    if was_kept_out() then return nil, nil, ngx.HTTP_UNAUTHORIZED end
    rejected = is_rejected(bank)
    if rejected then reject_value(bank, value) end
  end
  local token, _, problem = bank.client:token()
  if not token then return nil, problem end
  if rejected and carries(value, token) then
    return nil, nil, math.max(upstream_status(), ngx.HTTP_UNAUTHORIZED)   -- a gRPC answer has 200
  end
  ngx.var[variable] = use.value(token, scheme)
  use.count_injected(bank)
  return token
end

local function fill_or_refuse(bank, variable, scheme, value, phase)
  local ok, token, problem, status = pcall(fill, bank, variable, scheme, value)
  if not ok then
    log.fault(bank, "inject()", token)
    return refuse(bank)
  end
  if status then return ngx.exit(status) end   -- 401: there is no other token yet
  if not token then return refuse(bank, problem) end
  -- With `satisfy any`, a plain return would mean that access is allowed to everybody.
  if phase == "access" then return ngx.exit(ngx.DECLINED) end
end

-- The variable and the scheme for a call of inject(); or nil and what is wrong.
local function form_of(bank, given)
  if not given then return bank.variable, bank.scheme end
  local variable, mistake = options.get(given, "variable", bank.variable)
  local scheme, fault = options.get(given, "scheme", bank.scheme)
  if mistake or fault then return nil, mistake or fault end
  bank.variables[variable] = true
  return variable, scheme
end

--- See corebank.auth.nginx.
function request.inject(name, given)
  local phase = get_phase()
  if not CAN_INJECT[phase] then
    error(("inject: not in %s_by_lua*: use rewrite_by_lua* or access_by_lua*"):format(phase), 0)
  end
  local bank = banks.find(name)
  if not bank or not bank.client then return refuse(bank) end
  local variable, scheme = form_of(bank, given)
  if not variable then
    log.fault(bank, "inject()", scheme)
    return refuse(bank)
  end
  local value = variables.get(variable)
  if value == nil then
    log.unset(variable)
    return refuse(bank)
  end
  -- A subrequest shares the variables of its main request, and `set` has emptied this variable. The
  -- main request or another subrequest may be about to send the token of another bank from the same
  -- variable. So the subrequest is refused.
  local other = ngx.is_subrequest and banks.other_with(variable, bank)
  if other then
    log.shared(bank, other, variable)
    return refuse(bank)
  end
  return fill_or_refuse(bank, variable, scheme, value, phase)
end

-- ---- observe and reject ------------------------------------------------------------------------

--- See corebank.auth.nginx.
function request.observe(name)
  local status = upstream_status()
  if not status or status < 400 and not grpc_rejects() then return end
  for _, bank in ipairs(banks.each(name)) do
    if is_rejected(bank) and reject_carried(bank) then return end
  end
end

--- See corebank.auth.nginx.
function request.reject(name)
  for _, bank in ipairs(banks.each(name)) do
    if reject_carried(bank) then return true end
  end
  return false
end

return request
