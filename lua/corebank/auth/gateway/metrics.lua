--- The gateway's counters, in the dict that all workers share, and the page for Prometheus.
--
-- A counter is created by safe_add, when it is first needed. So a full dict loses counts, and not
-- tokens.

local BUCKETS = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}   -- seconds

-- The counters with their help texts, in the order of the page.
local families = {
  {name = "corebank_auth_fetches_total", help = "Calls to the bank, by outcome.",
    label = "outcome", values = {"fetched", "refreshed", "failed", "denied"}},
  {name = "corebank_auth_waits_total", help = "Requests that had to wait for a token."},
  {name = "corebank_auth_injected_total", help = "Requests that were given a token."},
  {name = "corebank_auth_refused_total", help = "Requests that were answered 503 without one."},
  {name = "corebank_auth_invalidated_total", help = "Tokens that the upstream rejected."},
  {name = "corebank_auth_store_faults_total", help = "Times the store could not be used."},
}

local DURATION = "corebank_auth_fetch_duration_seconds"
local REMAINING = "corebank_auth_token_remaining_seconds"

-- The part of a counter's name that is in its key.
local function short_of(family)
  return family.name:match("^corebank_auth_(.*)_total$")
end

---@class corebank.auth.Metrics
local Metrics = {}
Metrics.__index = Metrics

local LINES_IN_A_PIECE = 500   -- of the page; other requests run between two pieces

local metrics = {}

--- Counters for one bank.
---@param dict table incr, safe_add and get, as a lua_shared_dict has them
---@param bank string its name
---@return corebank.auth.Metrics
function metrics.new(dict, bank)
  return setmetatable({dict = dict, bank = bank, keys = {}, noted = {}}, Metrics)
end

-- Each key is built once.
local function key_of(self, counter)
  self.keys[counter] = self.keys[counter] or ("metric:%s:%s"):format(self.bank, counter)
  return self.keys[counter]
end

--- Adds an amount to a counter; by default 1.
function Metrics:add(counter, amount)
  local key = key_of(self, counter)
  local value, fault = self.dict:incr(key, amount or 1)
  if value or fault ~= "not found" then return end
  local _, lost = self.dict:safe_add(key, amount or 1)
  if lost == "exists" then self.dict:incr(key, amount or 1) end
end

--- Notes one for a counter, without access to shared memory. count_noted adds it.
function Metrics:note(counter)
  self.noted[counter] = (self.noted[counter] or 0) + 1
end

--- Adds what was noted since the last call.
function Metrics:count_noted()
  for counter, amount in pairs(self.noted) do
    self.noted[counter] = nil
    self:add(counter, amount)
  end
end

--- Adds the duration of a fetch, in seconds.
function Metrics:add_duration(seconds)
  for _, bound in ipairs(BUCKETS) do
    if seconds <= bound then
      self:add("le:" .. bound)
      break
    end
  end
  self:add("duration:count")
  self:add("duration:sum", seconds)
end

local function read(self, counter)
  return tonumber(self.dict:get(key_of(self, counter))) or 0
end

-- The name of a counter in status(): the outcome, or the short name in camel case.
local function key_in_status(short, value)
  return value or (short:gsub("_(%l)", string.upper))
end

local kinds

--- The counters of the status page, in the order of the page.
---@return {key: string, help: string, outcome: string?, counter: string}[]
function metrics.kinds()
  if kinds then return kinds end
  kinds = {}
  for _, family in ipairs(families) do
    local short = short_of(family)
    for _, value in ipairs(family.values or {false}) do
      kinds[#kinds + 1] = {key = key_in_status(short, value), help = family.help,
        outcome = value or nil, counter = value and short .. ":" .. value or short}
    end
  end
  return kinds
end

--- The values of the counters, by their names in status().
---@return table<string, integer>
function Metrics:totals()
  local totals = {}
  for _, kind in ipairs(metrics.kinds()) do totals[kind.key] = read(self, kind.counter) end
  return totals
end

-- ---- the page -----------------------------------------------------------------------------------

-- The label with the bank's name, escaped as the format requires.
local function label_of(counters)
  return ('bank="%s"'):format(counters.bank:gsub('[\\"]', "\\%0"):gsub("\n", "\\n"))
end

local function give_piece(lines)
  lines[#lines + 1] = ""
  lines.take(table.concat(lines, "\n"))
  for i = #lines, 1, -1 do lines[i] = nil end
end

local function sample(lines, name, labels, value)
  lines[#lines + 1] = ("%s{%s} %.14g"):format(name, labels, value)
  if #lines >= LINES_IN_A_PIECE then give_piece(lines) end
end

local function head(lines, name, help, kind)
  lines[#lines + 1] = ("# HELP %s %s\n# TYPE %s %s"):format(name, help, name, kind)
end

local function write_family(lines, family, list)
  head(lines, family.name, family.help, "counter")
  local short = short_of(family)
  for _, each in ipairs(list) do
    local bank = label_of(each.metrics)
    if not family.label then sample(lines, family.name, bank, read(each.metrics, short)) end
    for _, value in ipairs(family.values or {}) do
      sample(lines, family.name, ('%s,%s="%s"'):format(bank, family.label, value),
        read(each.metrics, short .. ":" .. value))
    end
  end
end

local function write_durations(lines, list)
  head(lines, DURATION, "How long calls to the bank took.", "histogram")
  for _, each in ipairs(list) do
    local bank, below = label_of(each.metrics), 0
    for _, bound in ipairs(BUCKETS) do
      below = below + read(each.metrics, "le:" .. bound)
      sample(lines, DURATION .. "_bucket", ('%s,le="%.14g"'):format(bank, bound), below)
    end
    local count = read(each.metrics, "duration:count")
    sample(lines, DURATION .. "_bucket", bank .. ',le="+Inf"', count)
    sample(lines, DURATION .. "_sum", bank, read(each.metrics, "duration:sum"))
    sample(lines, DURATION .. "_count", bank, count)
  end
end

--- Writes the page for Prometheus, in its text format, version 0.0.4.
---@param list table[] {metrics = corebank.auth.Metrics, remaining = seconds} for each bank
---@param take fun(piece: string) gets the page piece by piece
function metrics.write(list, take)
  local lines = {take = take}
  for _, family in ipairs(families) do write_family(lines, family, list) end
  write_durations(lines, list)
  head(lines, REMAINING, "How long the token at hand is still valid; 0 without one.", "gauge")
  for _, each in ipairs(list) do
    sample(lines, REMAINING, label_of(each.metrics), each.remaining)
  end
  give_piece(lines)
end

return metrics
