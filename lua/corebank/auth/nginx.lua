--- The gateway: every request that nginx proxies to the bank carries a valid token, or is refused.
--
--   init_worker_by_lua*     setup{…}      once for each bank
--   access_by_lua*          inject()      the token into the request, or 503
--   header_filter_by_lua*   observe()     an upstream that answers 401 makes the token go
--   content_by_lua*         ready(), metrics()

local auth = require "corebank.auth"
local check = require "corebank.auth.check"
local client = require "corebank.auth.client"
local metrics = require "corebank.auth.metrics"

-- What a client reads when it is made: read now, in a master maybe, and not by the first request.
for _, name in ipairs{"host.nginx", "shared", "store.shdict", "system"} do
  require("corebank.auth." .. name)
end

local ngx = ngx

local DEFAULT_NAME, DEFAULT_DICT = "default", "corebank"
local DEFAULT_RETRY_AFTER = 5            -- seconds a refused client is told to wait
local SHORTEST_TICK, LONGEST_TICK = 0.05, 60   -- seconds between two looks at a token
local UNSETTLED_TICK = 1                 -- while there is none, or it is being refreshed
local COUNT_TICK = 1                     -- seconds until what a worker has noted is counted for all

local gateway = {}

-- name -> {name=, client=, metrics=}, and their names in order. A worker's own: setup refuses to
-- run in a master.
local banks, names = {}, {}

-- ---- what the error log is told: one line when something changes, not one for each request ------

local function warn(bank, ...)
  ngx.log(ngx.WARN, "corebank-auth: bank '", bank.name, "': ", ...)
end

-- What the bank's client says of it is fit for a log.
local function note_trouble(bank, event)
  local trouble = event.code .. (event.status and ", status " .. event.status or "")
  if bank.trouble ~= trouble then
    warn(bank, "no token from the bank (", event.code, "): ", bank.client:explain().problem)
  end
  bank.trouble = trouble
end

local function note_recovery(bank)
  if bank.trouble then warn(bank, "tokens are back") end
  bank.trouble = nil
end

local function note_store_fault(bank, event)
  local fault = tostring(event.fault)
  if bank.storeFault ~= fault then
    warn(bank, "the shared dict cannot be used (", fault, "); tokens are fetched without it")
  end
  bank.storeFault = fault
end

local function count_fetch(bank, event)
  bank.metrics:add("fetches:" .. event.name)
  bank.metrics:add_duration(event.seconds)
end

local listeners = {}

function listeners.fetched(bank, event)
  count_fetch(bank, event)
  note_recovery(bank)
end

function listeners.failed(bank, event)
  if event.attempts > 0 then count_fetch(bank, event) end   -- or another worker's took too long
  note_trouble(bank, event)
end

listeners.refreshed, listeners.denied = listeners.fetched, listeners.failed
listeners.found = note_recovery   -- another worker has fetched one

-- Told where the waiting was: our own timer waits after a rejection, and nobody minds.
function listeners.waited(bank)
  if ngx.get_phase() ~= "timer" then bank.metrics:add("waits") end
end

function listeners.invalidated(bank)
  bank.metrics:add("invalidated")
end

function listeners.store_failed(bank, event)
  bank.metrics:add("store_faults")
  note_store_fault(bank, event)
end

-- ---- keeping a token at hand, whether requests come or not -------------------------------------

local function seconds_to_next_look(bank)
  local told = bank.client:explain()
  if told.state == "closed" then return nil end
  if told.state ~= "fresh" then return UNSETTLED_TICK * (0.75 + 0.5 * math.random()) end
  return math.max(SHORTEST_TICK, math.min(told.refreshIn + 0.001, LONGEST_TICK))
end

-- Fetches or refreshes by one of the client's functions. What comes of it is told by events; but
-- not what ready() or metrics() took over from another worker.
local function look(bank, get)
  local ok, fault = pcall(get, bank.client)
  if not ok then warn(bank, "a look at the token ended with an error: ", tostring(fault)) end
  if bank.client:explain().state == "fresh" then note_recovery(bank) end
end

-- Every worker does so. They draw their own moments, and the lease lets one of them fetch.
local function keep(premature, bank)
  if premature then return end
  look(bank, client.tend)
  local seconds = seconds_to_next_look(bank)
  while seconds and not ngx.worker.exiting() and not ngx.timer.at(seconds, keep, bank) do
    ngx.sleep(UNSETTLED_TICK)   -- no timer to be had: this one stays
    seconds = 0
  end
end

-- After a rejection: as a caller who is in need, whatever went wrong before.
local function look_soon(premature, bank)
  if not premature then look(bank, bank.client.token) end
end

local counting = false   -- whether requests may leave it to a timer to count them

-- A worker that exits calls it once more, and never again.
local function count_noted(premature)
  if premature then counting = false end
  for _, name in ipairs(names) do banks[name].metrics:count_noted() end
end

-- ---- setup -------------------------------------------------------------------------------------

local function text_option(given, name, default)
  local value = given[name]
  if value == nil then return default end
  if type(value) ~= "string" or value == "" then
    error(("setup: %s must be a string, and not empty"):format(name), 4)
  end
  return value
end

-- What another module raises is the mistake of who called setup: no position but theirs.
local function attempt(level, action, ...)
  local ok, result = pcall(action, ...)
  if not ok then error("setup: " .. tostring(result):gsub("^[%w.]+: ", ""), level + 1) end
  return result
end

-- The client's options: all but ours, and our ear at its events.
local function client_options(given, bank, store)
  local copy = {}
  for option, value in pairs(given) do copy[option] = value end
  copy.name, copy.dict, copy.store = nil, nil, given.store or store
  local theirs = given.onEvent
  if theirs ~= nil and not check.callable(theirs) then return copy end   -- the client says so
  function copy.onEvent(event)
    local listener = listeners[event.name]
    if listener then listener(bank, event) end
    if theirs then theirs(event) end
  end
  return copy
end

local function make(given, name, dict)
  local bank = {name = name}
  local store = attempt(4, auth.store.shdict, dict)
  bank.client = attempt(4, auth.client, client_options(given, bank, store))
  bank.metrics = metrics.new(ngx.shared[dict], name)
  return bank
end

local function set_up(given)
  if type(given) ~= "table" then
    error("setup: a table of options is needed, not " .. type(given), 3)
  end
  local name = text_option(given, "name", DEFAULT_NAME)
  local phase = ngx.get_phase()
  if banks[name] then
    if phase ~= "init_worker" then return end
    error(("setup: there is a bank '%s' already; give each a name of its own"):format(name), 3)
  end
  local bank = make(given, name, text_option(given, "dict", DEFAULT_DICT))
  banks[name], names[#names + 1] = bank, name
  if phase ~= "init_worker" then return end
  local ok, fault = ngx.timer.at(0, keep, bank)
  if not ok then warn(bank, "no timer (", fault, "); tokens are refreshed by requests only") end
  if not counting then counting = ngx.timer.every(COUNT_TICK, count_noted) and true or false end
end

--- Makes a bank known to this worker, and begins to keep a token for it.
--
-- Options are those of auth.client and: `name`, by which the other functions know the bank (default
-- "default"), and `dict`, the lua_shared_dict (default "corebank"). Belongs into
-- init_worker_by_lua*. Called in a request's phase it does nothing when the bank is known: so it
-- may stand before inject() where lua_code_cache is off and each request has a Lua of its own.
---@param given table
function gateway.setup(given)
  set_up(given)
end

-- ---- in a request ------------------------------------------------------------------------------

local REFUSAL = '{"error":"service_unavailable","message":"no access token at the moment"}\n'

local function refuse(bank, problem)
  if bank then bank.metrics:add("refused") end
  local seconds = problem and problem.retryAfter or DEFAULT_RETRY_AFTER
  ngx.status = ngx.HTTP_SERVICE_UNAVAILABLE
  ngx.header["Retry-After"] = math.max(1, math.ceil(seconds))
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(REFUSAL)
  return ngx.exit(ngx.HTTP_OK)   -- the answer is there already
end

-- Names that were asked for and never set up: so many, for they may come from requests.
local unknown, unknown_left = {}, 20

local function note_unknown(name)
  if unknown[name] or unknown_left == 0 then return end
  unknown[name], unknown_left = true, unknown_left - 1
  ngx.log(ngx.ERR, "corebank-auth: no bank '", (name:sub(1, 40):gsub("%c", "?")),
    "' was set up in this worker; see the error of setup in init_worker_by_lua*, above")
end

local function find(name)
  local bank = banks[name or DEFAULT_NAME]
  if not bank then note_unknown(tostring(name or DEFAULT_NAME)) end
  return bank
end

-- Returns the problem when there is no token.
local function put_token(bank)
  local token, _, problem = bank.client:token()
  if not token then return problem end
  ngx.req.set_header("Authorization", token:header())
  if counting then bank.metrics:note("injected") else bank.metrics:add("injected") end
end

--- Puts the token into the request, in place of any Authorization it has. Without a token, whatever
-- the reason, it answers 503, and the request goes no further. For access_by_lua*, rewrite_by_lua*.
---@param name string? of the bank
function gateway.inject(name)
  local bank = find(name)
  local ok, problem
  if bank then
    ok, problem = pcall(put_token, bank)
    if ok and not problem then return end
  end
  ngx.req.clear_header("Authorization")   -- should anybody let this request pass all the same
  if bank and not ok then
    ngx.log(ngx.ERR, "corebank-auth: bank '", bank.name, "': ", tostring(problem))
  end
  return refuse(bank, ok and problem or nil)
end

-- Whether it was the upstream that said 401, and now: not nginx, and not a cache.
local function upstream_rejects()
  if ngx.status ~= ngx.HTTP_UNAUTHORIZED then return false end
  return tostring(ngx.var.upstream_status):find("401%s*$") ~= nil
end

-- The header says which token it was: a request is not slowed down by remembering that.
local function reject(bank, header)
  local token = bank and bank.client:peek()
  return token and token:header() == header and bank.client:invalidate(token)
end

--- Looks at the upstream's answer: a 401 makes the token that this request carried go, and the next
-- one is fetched at once. Never waits. For header_filter_by_lua*.
---@param name string? of the bank; default: whichever the token is of
function gateway.observe(name)
  if not upstream_rejects() then return end
  local header = ngx.var.http_authorization
  for _, each in ipairs(name and {name} or names) do
    local bank = find(each)
    local ok, dropped = pcall(reject, bank, header)
    if not ok then warn(bank, "a rejection ended with an error: ", tostring(dropped)) end
    if dropped then ngx.timer.at(0, look_soon, bank) end
  end
end

-- ---- answers about ourselves -------------------------------------------------------------------

--- Answers 200 while there is a valid token, here or in the shared dict, else 503. Asks nobody for
-- one. For content_by_lua*.
---@param name string? of the bank
function gateway.ready(name)
  local bank = find(name)
  local token = bank and bank.client:look()
  ngx.status = token and ngx.HTTP_OK or ngx.HTTP_SERVICE_UNAVAILABLE
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(('{"ready":%s,"state":"%s","remaining":%d}\n'):format(token and "true" or "false",
    bank and bank.client:explain().state or "none", token and token:remaining() or 0))
end

--- Answers with the metrics of one bank, or of all, for Prometheus. For content_by_lua*.
---@param name string? of the bank
function gateway.metrics(name)
  local list = {}
  for _, each in ipairs(name and {name} or names) do
    local bank = find(each)
    local token = bank and bank.client:look()
    if bank then
      bank.metrics:count_noted()
      list[#list + 1] = {metrics = bank.metrics, remaining = token and token:remaining() or 0}
    end
  end
  ngx.header["Content-Type"] = "text/plain; version=0.0.4"
  ngx.print(metrics.page(list))
end

return gateway
