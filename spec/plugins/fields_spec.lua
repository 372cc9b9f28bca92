-- The options of the plugins: all that auth.client has, and none by hand.

local gateway = require "spec.support.gateway"
local list = require "corebank.auth.options.list"
local plugins = require "spec.support.plugins"

local FIELDS = "corebank.auth.gateway.fields"

-- What a configuration file cannot have.
local NOT_FOR_FILES = {onEvent = true, store = true}

local OWN = {"clientSecretFile", "dict", "name", "redis", "rejects", "scheme", "tokenHeader"}

local function expected_names()
  local names = {}
  for i, name in ipairs(OWN) do names[i] = name end
  for _, option in ipairs(list) do
    if not NOT_FOR_FILES[option.name] then names[#names + 1] = option.name end
  end
  table.sort(names)
  return names
end

describe("the options of the plugins", function()
  after_each(function() package.loaded[FIELDS] = nil end)

  it("are those of auth.client and a few of their own", function()
    local names = {}
    for i, field in ipairs(require(FIELDS).list) do
      names[i] = field.name
      assert.is_function(field.check)
    end
    table.sort(names)
    assert.same(expected_names(), names)
  end)

  it("need a row for a new option of auth.client, and say so", function()
    table.insert(list, {name = "novel", check = function() end})
    package.loaded[FIELDS] = nil
    local ok, fault = pcall(require, FIELDS)
    table.remove(list)
    assert.is_false(ok)
    assert.is_truthy(fault:find("the option novel needs a row in TYPES", 1, true))
  end)

  it("have their own defaults where auth.client has them", function()
    for _, field in ipairs(require(FIELDS).list) do
      for _, option in ipairs(list) do
        if option.name == field.name then assert.equal(option.default, field.default) end
      end
    end
  end)
end)

if not gateway.possible then return end

describe("the schema of a plugin #nginx", function()
  after_each(gateway.stop_all)

  it("for Kong has all of them; those with secrets are referenceable and encrypted", function()
    local gate = plugins.start("kong", {workers = 1})
    local said = gate:admin "fields"
    assert.equal(table.concat(expected_names(), " "), (said:gsub("%*", "")))
    for _, name in ipairs{"clientSecret", "clientKeyPassword", "proxy"} do
      assert.is_truthy(said:find(name .. "*", 1, true), name)
    end
  end)

  it("for APISIX has all of them", function()
    local gate = plugins.start("apisix", {workers = 1})
    assert.equal("_meta " .. table.concat(expected_names(), " "), gate:admin "fields")
  end)
end)
