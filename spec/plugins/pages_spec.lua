-- The configurations of docs/kong.md and docs/apisix.md: the plugin's part of each works.

local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local pages = require "spec.support.pages"
local plugins = require "spec.support.plugins"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

-- The lines `name: value` that lie deeper than the line of that key, as the plugin's configuration.
local function below(yaml, key)
  local conf, depth = {}, nil
  for line in (yaml .. "\n"):gmatch "(.-)\n" do
    local name, value = line:match "^[ -]*([%w_-]+): *(.*)$"
    local indent = line:match "^[ -]*"
    if depth and #indent <= depth then return conf end
    if depth then conf[name] = value:match '^"(.*)"$' or value end
    if name == key and value == "" then depth = #indent end
  end
  return conf
end

-- The example of a page in which `text` is.
local function example(page, text)
  for code in files.content(page):gmatch "\n *```yaml\n(.-)\n *```" do
    if code:find(text, 1, true) then return code end
  end
  error(page .. " has no such example")
end

for which, case in pairs{
  kong = {page = "docs/kong.md", key = "config", text = "services:",
    reference = "{vault://env/bank-secret}"},
  apisix = {page = "docs/apisix.md", key = "corebank-auth", text = "routes:",
    reference = "$env://BANK_SECRET"},
} do
  describe(case.page .. " #nginx", function()
    after_each(gateway.stop_all)

    it("has a configuration that works", function()
      local conf = below(example(case.page, case.text), case.key)
      assert.same({baseUrl = "https://bank.example", clientId = "my-client",
        clientSecret = case.reference}, conf)
      local scenario = bank:scenario{}
      conf.baseUrl, conf.clientId, conf.caFile = scenario.baseUrl, bank.clientId, bank.caFile
      local gate = plugins.start(which)
      gate:admin("vault", {reference = case.reference, value = bank.clientSecret})
      assert.is_nil(gate:put{conf})
      assert.equal(200, (gate:get("/1/")))
      assert.equal(1, gate:count "good")
    end)

    it("names the answer, the priority and the fields as they are", function()
      local page = files.content(case.page)
      local source = files.content(which == "kong" and "lua/kong/plugins/corebank-auth/handler.lua"
        or "lua/apisix/plugins/corebank-auth.lua")
      local answer = source:match 'NO_TOKEN = "(.-)"'
      assert.is_truthy(page:find(('{"message":"%s"'):format(answer), 1, true))
      local priority = source:match "PRIORITY = (%d+)"
      assert.is_truthy(not priority or page:find("The priority is " .. priority, 1, true))
      assert.is_truthy(page:find("redis.password", 1, true) or page:find("`redis.url`", 1, true))
    end)
  end)
end

describe("the pages of the plugins", function()
  it("are in README's list", function()
    local readme = pages.section("README.md", "Where to read on")
    for _, page in ipairs{"docs/kong.md", "docs/apisix.md", "docs/plugins.md"} do
      assert.is_truthy(readme:find(page, 1, true), page)
    end
  end)
end)
