--- The answers of ready() and metrics(). Neither asks a bank. With many banks, both let other
-- requests of the worker run in between.

local banks = require "corebank.auth.gateway.banks"
local metrics = require "corebank.auth.gateway.metrics"
local pulse = require "corebank.auth.gateway.pulse"

local ngx = ngx

local MOST_IN_A_ROW = 50   -- banks that are looked at before other requests run
local TURN = 0.001         -- seconds; nginx without OpenResty's patches warns of 0

local answers = {}

-- The valid token, kept here or found in the shared dict.
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

-- One row for each name: banks of plugins may share one, and then share its counters.
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

return answers
