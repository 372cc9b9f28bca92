-- The status page and its JSON, made of the same table.

local advice = require "corebank.auth.gateway.advice"
local auth = require "corebank.auth"
local files = require "spec.support.files"
local metrics = require "corebank.auth.gateway.metrics"
local page = require "corebank.auth.gateway.page"
local status = require "corebank.auth.gateway.status"

local ABOUT = {version = "0.1.0", at = "2026-02-03T04:05:06Z", worker = 77, ready = false}

-- As corebank.auth.gateway.Status has it, with all members.
local function told_of(changes)
  local told = {name = "payments", bank = "https://bank.example", state = "stale", isValid = true,
    source = "bank", remaining = 93784, refreshIn = 61, inFlight = true, pause = 17,
    store = "shdict", countersOf = "all workers", counters = {},
    problem = {message = "the bank cannot answer now (status 503)", code = "server",
      at = "2026-02-03T04:00:00Z", isOver = false, whatToDo = "Wait."},
    storeFault = {message = "no memory", whatToDo = "Make it larger."}}
  for i, kind in ipairs(metrics.kinds()) do told.counters[kind.key] = 1000 + i end
  for name, value in pairs(changes or {}) do told[name] = value end
  return told
end

local function written(write, list)
  local pieces = {}
  write(ABOUT, list, function(piece) pieces[#pieces + 1] = piece end)
  return table.concat(pieces)
end

local function html_of(list) return written(page.write, list) end

local function json_of(list)
  return assert(auth.json.decode(written(status.write, list)))
end

-- Fails unless the page has it.
local function shows(html, text)
  assert.is_truthy(html:find(text, 1, true), text .. "\n" .. html)
end

-- Elements that have no end.
local VOID = {meta = true, link = true}

-- Fails unless each element is closed by an end tag of its own.
local function is_well_formed(html)
  local open = {}
  for slash, name in html:gsub("<!DOCTYPE html>", ""):gmatch "<(/?)(%w+)[^>]*>" do
    if slash == "/" then
      assert.equal(table.remove(open), name)
    elseif not VOID[name] then
      open[#open + 1] = name
    end
  end
  assert.same({}, open)
end

-- The ways in which the page writes a member of the JSON.
local WRITTEN = {
  number = function(value) return {'<data value="' .. value .. '">', ">" .. value .. "<"} end,
  string = function(value) return {'<time datetime="' .. value .. '">', value} end,
}

local IN_WORDS = {   -- booleans, and what has another form on the page
  isValid = "No valid token: reports", ready = "No valid token: reports",
  inFlight = "a new token is on its way", isOver = "Nothing: the bank has given a token since",
}

-- Fails unless each member of a JSON value is on the page.
local function compare(html, value, name)
  if type(value) == "table" then
    for key, member in pairs(value) do compare(html, member, key) end
  elseif type(value) == "boolean" then
    assert.is_truthy(IN_WORDS[name], name)
  else
    local found = false
    for _, form in ipairs(WRITTEN[type(value)](value)) do
      found = found or html:find(form, 1, true) ~= nil
    end
    if name == "worker" then found = html:find("worker " .. value, 1, true) end
    assert.is_truthy(found, ("%s = %s is not on the page\n%s"):format(name, value, html))
  end
end

describe("the status page", function()
  it("says what its JSON says", function()
    local list = {told_of(), told_of{name = "reports", state = "none", isValid = false}}
    local html, json = html_of(list), json_of(list)
    assert.same({"payments", "reports"}, {json.banks[1].name, json.banks[2].name})
    assert.same(list[1], json.banks[1])
    compare(html, json)
    for _, name in ipairs{"isValid", "inFlight"} do shows(html, IN_WORDS[name]) end
    for i = 1, #metrics.kinds() do shows(html, '<td class="number">' .. 1000 + i .. "</td>") end
  end)

  it("tells times so that people can read them", function()
    local html = html_of{told_of()}
    shows(html, '<data value="93784">1 d 2 h</data>')
    shows(html, 'in <data value="61">1 min 1 s</data>')
    shows(html_of{told_of{refreshIn = 0}}, 'due, <data value="0">0 s</data>')
    shows(html, ">2026-02-03 04:05:06 UTC</time>")
  end)

  it("escapes what is in a name, a message or an address", function()
    local bad = [[<script>alert("1")</script>'&amp;]]
    local good = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;amp;"
    local list = {}
    for _, member in ipairs{"name", "bank", "source", "store"} do
      list[#list + 1] = told_of{[member] = bad, isValid = false}
    end
    list[#list + 1] = told_of{problem = {message = bad, code = bad, at = ABOUT.at, isOver = false,
      whatToDo = bad}}
    list[#list + 1] = told_of{storeFault = {message = bad, whatToDo = bad}}
    local html = html_of(list)
    assert.is_nil(html:find("<script", 1, true))
    is_well_formed(html)
    assert.is_true(select(2, html:gsub(good:gsub("%p", "%%%0"), "")) >= 10)
    assert.equal(bad, json_of(list).banks[1].name)
  end)

  it("is for screen readers, too", function()
    local html = html_of{told_of(), told_of()}
    is_well_formed(html)
    for _, text in ipairs{'<html lang="en">', "<title>", "<header>", "<main>", "<footer>", "<h1>",
      'aria-labelledby="overview"', 'aria-labelledby="bank-2"', 'id="bank-2"', "<caption>"} do
      shows(html, text)
    end
    local count = 0
    for attributes in html:gmatch "<th([^>]*)>" do
      count = count + 1
      assert.is_truthy(attributes:find 'scope="row"' or attributes:find 'scope="col"', attributes)
    end
    assert.is_true(count > 30)
    for class, word in html:gmatch '<span class="(%l+)">([^<]*)</span>' do
      assert.is_true(#word > 3, class)
    end
  end)

  it("has words and a colour for every state", function()
    local text = files.content "lua/corebank/auth/client/explain.lua"
    local states = {["not set up"] = true}
    local listed = text:match "%-%-%-@field state ([^\n]+)"
    for name in listed:gmatch '"(%l+)"' do states[name] = true end
    for name in pairs(states) do
      shows(html_of{told_of{state = name}}, ('">%s</span>: '):format(name))
    end
  end)

  it("loads nothing and needs no script", function()
    local html = html_of{told_of(), told_of()}
    assert.is_nil(html:find "<script")
    assert.is_nil(html:find " src=")
    assert.is_nil(html:find "url%(")
    for target in html:gmatch 'href="([^"]*)"' do
      assert.is_truthy(target:find "^#bank%-%d$" or target == "data:,", target)
    end
  end)

  it("names ten banks without a token at the top, and counts the others", function()
    local list = {}
    for i = 1, 12 do list[i] = told_of{name = "bank" .. i, isValid = false} end
    list[13] = told_of()
    local html = html_of(list)
    shows(html, "<title>corebank-auth: 1 of 13 with a valid token</title>")
    shows(html, ", bank9, bank10 and 2 others.</p>")
    shows(html_of{list[11], list[13]}, "<p>No valid token: bank11.</p>")
    shows(html_of{list[13]}, "<p>Every bank has a valid token.</p>")
  end)

  it("says so when there is no bank", function()
    shows(html_of{}, "This worker knows no such bank.")
    assert.same({}, json_of{}.banks)
  end)

  it("leaves out what is not known", function()
    local list = {{name = "reports", state = "not set up", isValid = false, inFlight = false,
      countersOf = "this worker"}}
    local html = html_of(list)
    for _, label in ipairs{"Time left", "Next refresh", "In flight", "Store", "Pause"} do
      assert.is_nil(html:find(">" .. label .. "<", 1, true), label)
    end
    shows(html, "There are no counters")
  end)

  it("has advice about every problem code, and none when the problem is over", function()
    local count = 0
    for code in files.content("lua/corebank/auth/exchange/problem.lua")
      :gmatch '\n%-%-%-| "([%w_]+)"' do
      count = count + 1
      assert.is_true(#advice.about(code, false) > 10, code)
      assert.is_truthy(advice.about(code, true):find "^Nothing: ", code)
    end
    assert.equal(15, count)
  end)
end)
