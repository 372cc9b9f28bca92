--- The answers of ready(), metrics() and status(). None of these functions asks a bank. With many
-- banks, they let other requests of the worker run in between.

local banks = require "corebank.auth.gateway.banks"
local core = require "corebank.auth.core"
local metrics = require "corebank.auth.gateway.metrics"
local page = require "corebank.auth.gateway.page"
local pulse = require "corebank.auth.gateway.pulse"
local status = require "corebank.auth.gateway.status"

local ngx = ngx

local MOST_IN_A_ROW = 50   -- banks, or pieces of a page, before other requests run
local TURN = 0.001         -- seconds; nginx without OpenResty's patches warns about 0

local answers = {}

-- The valid token, of the client or from the store.
local function token_of(bank)
  return bank.client and not bank.gone and (bank.client:peek() or bank.client:look())
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(character)
    return ("\\u%04x"):format(character:byte())
  end) .. '"'
end

local function answer(ready, text)
  ngx.status = ready and ngx.HTTP_OK or ngx.HTTP_SERVICE_UNAVAILABLE
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print('{"ready":', ready and "true" or "false", text, "}\n")
end

local function answer_for_all(list)
  local missing = {}
  for i, bank in ipairs(list) do
    if not token_of(bank) then missing[#missing + 1] = quoted(bank.name) end
    if i % MOST_IN_A_ROW == 0 then ngx.sleep(TURN) end
  end
  answer(#list > 0 and #missing == 0,
    (',"banks":%d,"notReady":[%s]'):format(#list, table.concat(missing, ",")))
end

--- See corebank.auth.nginx.
function answers.ready(name)
  pulse.ensure()
  if not name then return answer_for_all(banks.with_plugins()) end
  local bank = banks.with_plugins(name)[1]
  local token = bank and token_of(bank)
  local state = not bank and "unknown" or not bank.client and "not set up"
    or bank.client:explain().state
  answer(token, (',"state":"%s","remaining":%d'):format(state, token and token:remaining() or 0))
end

-- Makes one row for each name: banks of plugins with the same name share their counters.
local function add_row(rows, bank)
  local token = token_of(bank)
  local remaining = token and token:remaining() or 0
  bank.metrics:count_noted()
  local row = rows[bank.name]
  if row then
    row.remaining = math.max(row.remaining, remaining)
  else
    row = {metrics = bank.metrics, remaining = remaining}
    rows[bank.name], rows[#rows + 1] = row, row
  end
end

--- See corebank.auth.nginx.
function answers.metrics(name)
  pulse.ensure()
  local rows = {}
  for i, bank in ipairs(banks.with_plugins(name)) do
    if bank.metrics then add_row(rows, bank) end
    if i % MOST_IN_A_ROW == 0 then ngx.sleep(TURN) end
  end
  ngx.header["Content-Type"] = "text/plain; version=0.0.4"
  metrics.write(rows, function(piece)
    ngx.print(piece)
    ngx.sleep(TURN)
  end)
end

-- ---- status -------------------------------------------------------------------------------------

-- A browser may show the page with the page's own style, and may load nothing else.
local POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
  .. "form-action 'none'; frame-ancestors 'self'"

-- How much a client wants a type, from 0 to 1, by its Accept; the most specific range counts.
-- Also returns how specific this range is.
local function preference(accepted, kind)
  local group, best, found = kind:match "^[^/]+/" .. "*", 0, 0
  for range in accepted:gmatch "[^,]+" do
    local name = range:match "^%s*([^;%s]+)"
    local rank = name == kind and 3 or name == group and 2 or name == "*/*" and 1 or 0
    if rank > found then
      best, found = tonumber(range:match ";%s*q%s*=%s*([%d.]+)") or 1, rank
    end
  end
  return best, found
end

-- A browser wants text/html more than anything else. Who has no preference gets HTML.
local function wants_json()
  local accepted = (ngx.var.http_accept or ""):lower()
  local json, json_range = preference(accepted, "application/json")
  local html, html_range = preference(accepted, "text/html")
  return json > html or json == html and json > 0 and json_range > html_range
end

local function statuses_of(list)
  local statuses, isReady = {}, #list > 0
  for i, bank in ipairs(list) do
    local token = token_of(bank)
    if not token then isReady = false end
    statuses[i] = status.of(bank, token)
    if i % MOST_IN_A_ROW == 0 then ngx.sleep(TURN) end
  end
  return statuses, isReady
end

-- Collects the pieces of a page. Passes many at a time to nginx, and lets other requests run then.
local function printer()
  local pieces = {}
  local function flush()
    ngx.print(pieces)
    pieces = {}
    ngx.sleep(TURN)
  end
  return function(piece)
    pieces[#pieces + 1] = piece
    if #pieces >= MOST_IN_A_ROW then flush() end
  end, flush
end

--- See corebank.auth.nginx.
function answers.status(name)
  pulse.ensure()
  local list, isReady = statuses_of(banks.with_plugins(name))
  local about = {version = core.VERSION, at = status.moment(core.wall()),
    worker = ngx.worker.pid(), ready = isReady}
  local isJson = wants_json()
  if name and #list == 0 then ngx.status = ngx.HTTP_NOT_FOUND end
  ngx.header["Content-Type"] = isJson and "application/json" or "text/html; charset=utf-8"
  ngx.header["Cache-Control"], ngx.header["Vary"] = "no-store", "Accept"
  ngx.header["Content-Security-Policy"] = POLICY
  ngx.header["X-Content-Type-Options"] = "nosniff"
  local take, flush = printer();
  (isJson and status.write or page.write)(about, list, take)
  flush()
end

return answers
