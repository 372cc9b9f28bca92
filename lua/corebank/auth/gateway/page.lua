--- The status page: HTML for people. The page has no script, and loads nothing. Words tell each
-- state, and a colour only repeats it.

local metrics = require "corebank.auth.gateway.metrics"

local STYLE = [[
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#57606a;--line:#d0d7de;
--good:#116329;--poor:#7d4e00;--bad:#a40e26}
@media (prefers-color-scheme:dark){
:root{--ink:#e6edf3;--paper:#0d1117;--soft:#9da7b3;--line:#3d444d;
--good:#56d364;--poor:#e3b341;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:72rem;font:1rem/1.5 system-ui,sans-serif;
color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0}h2{font-size:1.2rem;margin:0 0 .5rem}
section{border-top:1px solid var(--line);padding:1rem 0}
table{width:100%;table-layout:fixed;border-collapse:collapse;margin:.5rem 0}
caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;
border-bottom:1px solid var(--line)}
.facts th{width:9rem;font-weight:normal;color:var(--soft)}
.counters th.number{width:7rem}.counters th[scope=row]{font-weight:normal}
.number{text-align:right;font-variant-numeric:tabular-nums}
.good,.poor,.bad{font-weight:600}
.good{color:var(--good)}.poor{color:var(--poor)}.bad{color:var(--bad)}
a{color:inherit}footer{color:var(--soft)}
@media (min-width:60rem){.bank{display:grid;grid-template-columns:1fr 1fr;column-gap:2rem}
.bank h2{grid-column:1/-1}.bank table{align-self:start}}
]]

-- The meaning of each state, and the class of its colour.
local STATES = {
  fresh = {"the token is valid", "good"},
  stale = {"the token is valid, and its refresh is due", "good"},
  rejected = {"the API rejected the token", "poor"},
  expired = {"the token has expired", "bad"},
  none = {"there is no token yet", "bad"},
  closed = {"the bank was removed", "bad"},
  ["not set up"] = {"setup failed", "bad"},
}

local MOST_NAMED = 10   -- banks without a token, in the sentence at the top

local page = {}

local ESCAPES = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;"}

local function escape(text)
  return (text:gsub("[&<>\"']", ESCAPES))
end

local UNITS = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}

-- A duration in its two largest units, such as "59 min 59 s".
local function duration(seconds)
  local words, rest = {}, seconds
  for _, unit in ipairs(UNITS) do
    local count = math.floor(rest / unit[1])
    rest = rest - count * unit[1]
    if #words < 2 and (count > 0 or #words > 0) then
      words[#words + 1] = ("%d %s"):format(count, unit[2])
    end
  end
  return ('<data value="%d">%s</data>'):format(seconds, #words > 0 and table.concat(words, " ")
    or "0 s")
end

local function moment(text)
  return ('<time datetime="%s">%s</time>'):format(text, (text:gsub("[TZ]", {T = " ", Z = " UTC"})))
end

local function state(told)
  local meaning = STATES[told.state]
  return ('<span class="%s">%s</span>: %s'):format(meaning[2], escape(told.state), meaning[1])
end

-- ---- one bank -----------------------------------------------------------------------------------

local function refresh(told)
  return told.refreshIn and (told.refreshIn > 0 and "in " or "due, ") .. duration(told.refreshIn)
end

local function problem(told)
  local last = told.problem
  if not last then return "none" end
  return (last.code and escape(last.code) .. ": " or "") .. escape(last.message)
    .. (last.at and ", " .. moment(last.at) or "")
end

-- The rows of a bank's first table: a label and HTML. A row without HTML is left out.
local function facts(told)
  return {
    {"State", state(told)},
    {"Bank", told.bank and escape(told.bank)},
    {"Token from", told.source and escape("the " .. told.source)},
    {"Time left", told.remaining and duration(told.remaining)},
    {"Next refresh", refresh(told)},
    {"In flight", told.inFlight and "a new token is on its way"},
    {"Last problem", problem(told)},
    {"What to do", told.problem and escape(told.problem.whatToDo)},
    {"Pause", told.pause and "the bank is not asked for " .. duration(told.pause)},
    {"Store", told.store and escape(told.store)},
    {"Store problem", told.storeFault and escape(told.storeFault.message)},
    {"What to do", told.storeFault and escape(told.storeFault.whatToDo)},
  }
end

local function facts_table(told)
  local lines = {'<table class="facts"><caption>Token and store</caption>'}
  for _, row in ipairs(facts(told)) do
    if row[2] then
      lines[#lines + 1] = ('<tr><th scope="row">%s</th><td>%s</td></tr>'):format(row[1], row[2])
    end
  end
  lines[#lines + 1] = "</table>"
  return table.concat(lines, "\n")
end

-- The label of a counter, such as "Calls to the bank: fetched".
local function label_of(kind)
  if kind.outcome then return kind.help:gsub(",.*", ": ") .. kind.outcome end
  return (kind.help:gsub("%.$", ""))
end

local function counters_table(told)
  if not told.counters then return "<p>There are no counters: the shared dict is missing.</p>" end
  local lines = {('<table class="counters"><caption>Counters of %s</caption>\n<tr>'
    .. '<th scope="col">What is counted</th><th scope="col" class="number">Count</th></tr>')
    :format(told.countersOf)}
  for _, kind in ipairs(metrics.kinds()) do
    lines[#lines + 1] = ('<tr><th scope="row">%s</th><td class="number">%.14g</td></tr>'):format(
      escape(label_of(kind)), told.counters[kind.key])
  end
  lines[#lines + 1] = "</table>"
  return table.concat(lines, "\n")
end

local function section(told, number)
  return ('<section class="bank" aria-labelledby="bank-%d">\n<h2 id="bank-%d">%s</h2>\n%s\n%s\n'
    .. '</section>\n'):format(number, number, escape(told.name), facts_table(told),
    counters_table(told))
end

-- ---- all banks ----------------------------------------------------------------------------------

local function names_without_token(list)
  local names = {}
  for _, told in ipairs(list) do
    if not told.isValid then names[#names + 1] = told.name end
  end
  return names
end

-- The title, and the sentence below the heading, as text.
local function summary(list)
  if #list == 0 then return "no bank", "This worker knows no such bank." end
  local names = names_without_token(list)
  local title = ("%d of %d with a valid token"):format(#list - #names, #list)
  if #names == 0 then return title, "Every bank has a valid token." end
  local named = table.concat(names, ", ", 1, math.min(#names, MOST_NAMED))
  local others = #names > MOST_NAMED and (" and %d others"):format(#names - MOST_NAMED) or ""
  return title, ("No valid token: %s%s."):format(named, others)
end

local function overview_row(told, number)
  return ('<tr><th scope="row"><a href="#bank-%d">%s</a></th><td>%s</td><td>%s</td></tr>\n')
    :format(number, escape(told.name), state(told),
    told.remaining and duration(told.remaining) or "none")
end

local function overview(list, take)
  take '<section aria-labelledby="overview">\n<h2 id="overview">All banks</h2>\n<table>\n<tr>'
  take '<th scope="col">Bank</th><th scope="col">State</th><th scope="col">Time left</th></tr>\n'
  for number, told in ipairs(list) do take(overview_row(told, number)) end
  take "</table>\n</section>\n"
end

--- Writes the page.
---@param about {version: string, at: string, worker: integer}
---@param list corebank.auth.gateway.Status[]
---@param take fun(piece: string) gets the page piece by piece
function page.write(about, list, take)
  local title, sentence = summary(list)
  take '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
  take '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
  take '<link rel="icon" href="data:,">\n'   -- without it a browser asks for /favicon.ico
  take(("<title>corebank-auth: %s</title>\n<style>\n%s</style>\n</head>\n<body>\n"):format(
    title, STYLE))
  take(("<header>\n<h1>corebank-auth</h1>\n<p>%s</p>\n</header>\n<main>\n"):format(
    escape(sentence)))
  if #list > 1 then overview(list, take) end
  for number, told in ipairs(list) do take(section(told, number)) end
  take(("</main>\n<footer>\n<p>As worker %d of corebank-auth %s saw it at %s. With the header "
    .. "<code>Accept: application/json</code> the same is JSON.</p>\n</footer>\n</body>\n</html>\n")
    :format(about.worker, escape(about.version), moment(about.at)))
end

return page
