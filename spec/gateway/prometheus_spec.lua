-- examples/prometheus: configuration, alerts and dashboard, checked by Prometheus' own tool and
-- against the metrics of a real nginx. Debian's package prometheus has promtool.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local gateway = require "spec.support.gateway"

if not gateway.possible then return end

local content, quoted = files.content, files.quoted

local FOLDER = "examples/prometheus/"

-- What promtool prints, with "0" as the last line when it is satisfied.
local function promtool(words)
  return table.concat(files.lines_of("promtool " .. words .. " 2>&1; echo $?"), "\n")
end

local function is_missing()
  return #files.lines_of "command -v promtool" == 0
end

local function passes(words)
  local output = promtool(words)
  assert.is_truthy(output:find "\n0$", output)
  return output
end

-- All expressions of a dashboard's panels.
local function expressions(dashboard)
  local list = {}
  for _, panel in ipairs(dashboard.panels) do
    for _, target in ipairs(panel.targets) do list[#list + 1] = target.expr end
  end
  return list
end

-- The metrics that a text names, without what a histogram's samples append.
local function named_in(text)
  local names = {}
  for name in text:gmatch "corebank_auth_[%w_]+" do
    names[name:gsub("_seconds_%l+$", "_seconds")] = true
  end
  return names
end

describe("examples/prometheus #nginx", function()
  local dashboard = assert(auth.json.decode(content(FOLDER .. "dashboard.json")))

  after_each(gateway.stop_all)

  -- The page of /metrics.
  local function scraped()
    local gate = gateway.at_bank{}
    gate:await_ready()
    assert.equal(200, (gate:get "/api/"))
    return (select(3, gate:get "/metrics"))
  end

  it("has a valid configuration, and rules that pass their tests", function()
    if is_missing() then return pending "promtool is not installed" end
    passes("check config " .. FOLDER .. "prometheus.yml")
    passes("test rules " .. FOLDER .. "alerts_test.yml")
  end)

  it("tests each alert, and says in each what to do", function()
    local rules, tests = content(FOLDER .. "alerts.yml"), content(FOLDER .. "alerts_test.yml")
    local count = 0
    for name in rules:gmatch "%- alert: (%w+)" do
      count = count + 1
      assert.is_truthy(tests:find("alertname: " .. name .. "\n        exp_alerts:", 1, true), name)
      assert.is_truthy(tests:find("alertname: " .. name .. "}", 1, true), name)
    end
    assert.equal(6, count)
    for summary in (rules .. "\n\n"):gmatch "summary: >%-\n(.-)\n\n" do
      assert.is_truthy(summary:find "Open the gateway's" or summary:find "Write the"
        or summary:find "Check whether", summary)
      count = count - 1
    end
    assert.equal(0, count)
  end)

  it("names in rules and dashboard the metrics and outcomes that there are", function()
    local page = scraped()
    local there, outcomes = named_in(page), {}
    for outcome in page:gmatch 'outcome="(%l+)"' do outcomes[outcome] = true end
    assert.same(there, named_in(table.concat(expressions(dashboard), "\n")))
    local rules = content(FOLDER .. "alerts.yml")
    for _, text in ipairs{rules, content(FOLDER .. "alerts_test.yml"),
      content(FOLDER .. "dashboard.json")} do
      for name in pairs(named_in(text)) do assert.is_true(there[name], name) end
    end
    local count = 0
    for list in rules:gmatch 'outcome=~?"([^"]+)"' do
      for outcome in list:gmatch "%l+" do
        count = count + 1
        assert.is_true(outcomes[outcome], outcome)
      end
    end
    assert.equal(4, count)
  end)

  it("writes expressions in the dashboard that Prometheus reads", function()
    if is_missing() then return pending "promtool is not installed" end
    local lines, list = {"groups:", "- name: dashboard", "  rules:"}, expressions(dashboard)
    for i, expression in ipairs(list) do
      lines[#lines + 1] = ("  - record: panel:%d\n    expr: %s"):format(i,
        auth.json.encode((expression:gsub("%$__rate_interval", "5m"))))
    end
    local path = os.tmpname()
    files.write(path, table.concat(lines, "\n") .. "\n")
    local output = promtool("check rules " .. quoted(path))
    os.remove(path)
    assert.is_truthy(output:find(#list .. " rules found", 1, true), output)
  end)

  it("scrapes what Prometheus' own tool finds nothing wrong with", function()
    if is_missing() then return pending "promtool is not installed" end
    local path = os.tmpname()
    files.write(path, scraped())
    local output = promtool("check metrics <" .. quoted(path))
    os.remove(path)
    assert.equal("0", output)
  end)

  it("scrapes the address and the path of examples/nginx.conf", function()
    local configuration, nginx = content(FOLDER .. "prometheus.yml"), content "examples/nginx.conf"
    local address = nginx:match "listen ([^;]+);"
    assert.is_truthy(configuration:find(('targets: ["%s"]'):format(address), 1, true))
    local path = configuration:match "metrics_path: (%S+)"
    assert.is_truthy(nginx:find("location = " .. path .. " {", 1, true), path)
  end)
end)
