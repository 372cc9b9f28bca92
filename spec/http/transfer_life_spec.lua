-- The life of a transfer: collected, closed, stepped; secrets that are closed while it is made.

local core = require "corebank.auth.core"
local options = require "corebank.auth.options.read"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"
local transfers = require "spec.support.transfer"

local bank = sandbox.bank()

describe("a transfer #transfer", function()
  it("may be collected at any moment of its life", function()
    local scenario = bank:scenario{{delay = 0.05}}
    for steps = 0, 3 do
      do
        local transfer = transfers.start{baseUrl = scenario.baseUrl}
        for _ = 1, steps do
          transfer:wait(0.03)
        end
      end
      collectgarbage()
      collectgarbage()
    end
    survive.case{}
  end)

  it("may be closed twice, and says so when used after", function()
    local transfer = transfers.start()
    transfer:close()
    transfer:close()
    assert.equal("transfer (closed)", tostring(transfer))
    for _, method in ipairs{"step", "result", "reply"} do
      local ok, message = pcall(transfer[method], transfer)
      assert.is_false(ok)
      assert.is_truthy(message:find("the transfer is closed", 1, true), message)
    end
    survive.case{}
  end)

  it("is closed by a reply that could be read, and by no other", function()
    local transfer = transfers.start()
    assert.equal(200, transfers.finish(transfer).status)
    assert.equal("string", type((transfer:reply())))
    assert.equal("transfer (closed)", tostring(transfer))
    local scenario = bank:scenario{{body = "not json"}}
    transfer = transfers.start{baseUrl = scenario.baseUrl}
    transfers.finish(transfer)
    assert.is_true((transfer:reply()) == nil)
    assert.equal("transfer", tostring(transfer))
    transfer:close()
  end)

  it("sets off at once when it is alone; the next step moves all that are not", function()
    local server = assert(socket.bind("127.0.0.1", 0))
    local changes = {baseUrl = ("https://127.0.0.1:%d"):format(select(2, server:getsockname()))}
    server:settimeout(1)
    local first = transfers.start(changes)
    local guests = {server:accept()}
    local second, third = transfers.start(changes), transfers.start(changes)
    server:settimeout(0.1)
    guests[2] = server:accept()
    assert.equal(1, #guests)
    first:step()
    guests[2], guests[3] = server:accept(), server:accept()
    assert.equal(3, #guests)
    for _, transfer in ipairs{first, second, third} do transfer:close() end
    local after = transfers.start(changes)
    assert.is_truthy(server:accept())   -- alone again
    after:close()
    server:close()
  end)

  it("has no result before it is done", function()
    local transfer = transfers.start{baseUrl = bank:scenario{{delay = 0.1}}.baseUrl}
    local ok, message = pcall(transfer.result, transfer)
    assert.is_false(ok)
    assert.is_truthy(message:find("not done", 1, true))
    transfer:close()
  end)

  it("can only be stepped as what it is", function()
    assert.is_false((pcall(core.transfer)))
    assert.is_false((pcall(core.transfer, {}, {url = "https://localhost"}, 1)))
    local transfer = transfers.start()
    assert.is_false((pcall(transfer.step, core.secret("x"))))
    assert.is_false((pcall(transfer.step, io.stdout)))
    assert.is_false((pcall(transfer.step)))
    transfer:close()
  end)

  it("shares the engine: one step drives all", function()
    local scenario = bank:scenario{{delay = 0.1}}
    local list = {}
    for i = 1, 8 do list[i] = transfers.start{baseUrl = scenario.baseUrl} end
    while not list[1]:wait(1) do end
    for _, transfer in ipairs(list) do
      assert.equal(200, transfers.finish(transfer).status)
      transfer:close()
    end
    assert.equal(8, scenario:posts())
  end)
end)

-- Lua 5.4 alone can be told to finish a whole collection at the next allocation.
if _VERSION == "Lua 5.4" then
  describe("a secret that a finalizer closes in the middle of a call #transfer", function()
    after_each(function() collectgarbage("incremental", 200, 100, 13) end)

    -- Calls `use` with a secret that a finalizer closes once something is allocated.
    local function use_closing(use)
      local secret = assert(core.secret("canary-secret-closing"))
      collectgarbage("incremental", 1, 1000, 40)
      collectgarbage()   -- what is made while one sweeps, that collection leaves alone
      collectgarbage("stop")
      setmetatable({}, {__gc = function() secret:close() end})
      collectgarbage("restart")
      return pcall(use, secret)
    end

    it("is closed: nothing is blanked, sealed or opened by what it left", function()
      local sealed = core.seal(assert(core.secret("canary-secret-closing")), "here", "text")
      for name, use in pairs{
        redact = function(secret) return secret:redact("a canary-secret-closing b") end,
        seal = function(secret) return core.seal(secret, "here", "text") end,
        unseal = function(secret) return core.unseal(secret, "here", sealed) end,
      } do
        local ok, message = use_closing(use)
        assert.is_false(ok, name)
        assert.is_truthy(message:find("the secret is closed", 1, true), name)
      end
    end)

    it("is closed: nothing is sent with what it left", function()
      local scenario = bank:scenario{{}}
      local settings = assert(options.read{baseUrl = scenario.baseUrl, clientId = "id",
        clientSecret = "canary-secret-open", caFile = bank.caFile})
      local ok, message = use_closing(function(secret)
        settings.clientSecret = secret
        return transfers.post(settings, 1)
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find("credentials are missing or closed", 1, true), message)
      options.release(settings)
      assert.equal(0, scenario:posts())
    end)
  end)
end
