-- bank:authenticate(): one call to the bank with a client's options, which changes nothing.

local auth = require "corebank.auth"
local core = require "corebank.auth.core"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

describe("bank:authenticate() #transfer", function()
  local client, scenario, events

  local function new_client(script, changes)
    scenario, events = bank:scenario(script), {}
    local given = {baseUrl = scenario.baseUrl,
      onEvent = function(event) events[#events + 1] = event end}
    for name, value in pairs(changes or {}) do given[name] = value end
    client = auth.client(survive.options(given))
  end

  after_each(function() client:close() end)

  it("posts at each call, and keeps nothing", function()
    new_client{{}}
    local one, two = assert(client:authenticate()), assert(client:authenticate())
    assert.are_not.equal(one.accessToken, two.accessToken)
    assert.equal(2, scenario:posts())
    assert.is_nil(client:peek())
    assert.equal("none", client:explain().state)
    assert.is_nil(next(client:explain().counters))
  end)

  it("returns the token alone, fit for table.insert", function()
    new_client{{}}
    assert.equal(1, select("#", client:authenticate()))
  end)

  it("leaves the token at hand as it is", function()
    new_client{{}}
    local kept = assert(client:token())
    assert(client:authenticate())
    assert.equal(kept, client:peek())
    assert.equal(kept, client:token())
    assert.equal(2, scenario:posts())
  end)

  it("uses one connection and one endpoint for calls in a row", function()
    new_client{{}}
    local endpoint = core.endpoint
    core.endpoint = function() error "an endpoint is made" end
    local ok, fault = pcall(function()
      for _ = 1, 3 do assert(client:authenticate()) end
    end)
    core.endpoint = endpoint
    assert(ok, fault)
    local requests = scenario:requests()
    assert.equal(3, #requests)
    assert.equal(survive.keepsConnections, requests[1].connection == requests[3].connection)
  end)

  it("touches no store", function()
    local store = setmetatable({}, {__index = function(_, name)
      return function() error("the store's " .. name .. " is called") end
    end})
    for _, name in ipairs{"get", "put", "delete", "lease", "release"} do
      store[name] = store[name]
    end
    new_client({{}}, {store = store})
    assert(client:authenticate())
    assert.equal(1, #events)
  end)

  it("is kept off the bank by nothing, and keeps no caller off", function()
    new_client{{status = 401}}
    for _ = 1, 2 do
      local token, message, problem = client:authenticate()
      assert.is_nil(token)
      assert.equal("denied", problem.code)
      assert.equal(message, problem.message)
      assert.is_nil(problem.remembered)
    end
    assert.is_nil(client:explain().problem)
    assert.is_nil(select(3, client:token()).remembered)
    assert.equal(3, scenario:posts())
    assert.is_true(select(3, client:token()).remembered)
    assert.is_nil(select(3, client:authenticate()).remembered)
    assert.equal(4, scenario:posts())
  end)

  it("tells what auth.authenticate tells", function()
    new_client{{}, {status = 401}}
    client:authenticate()
    client:authenticate()
    assert.equal(2, #events)
    assert.equal("fetched", events[1].name)
    assert.equal("failed denied 401", ("%s %s %d"):format(events[2].name, events[2].code,
      events[2].status))
    survive.no_canary(events)
  end)

  it("raises at its caller's line when the client is closed", function()
    new_client{{}}
    client:close()
    local ok, message = pcall(function() return (client:authenticate()) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("authenticate_spec.lua:%d+: the client is closed"), message)
  end)

  it("gives the problem 'closed' when the client is closed meanwhile", function()
    new_client({{}}, {onEvent = function() client:close() end})
    local token, _, problem = client:authenticate()
    assert.is_nil(token)
    assert.equal("closed", problem.code)
  end)
end)
