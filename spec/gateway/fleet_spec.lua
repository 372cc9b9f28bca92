-- Gateways on several hosts, with one token through Redis.

local gateway = require "spec.support.gateway"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not gateway.possible or not redis.possible then return end

local REDIS = 'store.redis{url = "%s"}'
local LAYERED = 'store.layered(store.shdict "corebank", ' .. REDIS .. ")"

for kind, made in pairs{["Redis"] = REDIS, ["Redis behind the shared dict"] = LAYERED} do

  describe("a fleet of gateways with " .. kind .. " #nginx", function()
    local server, scenario, one, other

    local function new_gate()
      return gateway.start{setup = {baseUrl = scenario.baseUrl}, init_worker = ([[
        local options, store = $options, require("corebank.auth").store
        options.store = %s
        require("corebank.auth.nginx").setup(options)
      ]]):format(made:format(server.url))}
    end

    before_each(function()
      server, scenario = redis.start(), sandbox.bank():scenario{{}}
      one, other = new_gate(), new_gate()
      one:await_ready()
      other:await_ready()
    end)
    after_each(function()
      gateway.stop_all()
      redis.stop_all()
    end)

    it("asks the bank once for all workers of all hosts", function()
      for _, gate in ipairs{one, other} do
        assert.equal(40, gate:at_once(40, "/api/")[200])
        assert.is_nil(gate:log():find("[warn]", 1, true), gate:log())
      end
      assert.equal(1, scenario:posts())
    end)

    it("K15: asks the bank once when the API rejects the token on each host", function()
      assert.equal(401, (one:get "/api/?status=401"))
      sandbox.await("no new token", function()
        return one:get "/api/" == 200 and scenario:posts() == 2
      end)
      assert.equal(401, (other:get "/api/?status=401"))
      sandbox.await("no new token", function() return other:get "/api/" == 200 end)
      assert.equal(2, scenario:posts())
      for _, gate in ipairs{one, other} do
        assert.is_nil(gate:log():find("can be asked in", 1, true), gate:log())
      end
    end)

    it("serves requests while Redis stands still, and says it once for each worker", function()
      server:signal "STOP"
      assert.equal(401, (one:get "/api/?status=401"))
      assert.equal(20, one:at_once(20, "/api/")[200])
      sandbox.await("it is not said", function()
        return one:log():find("redis: timeout", 1, true)
      end)
      server:signal "CONT"
      local _, times = one:log():gsub("redis: timeout", "")
      assert.is_true(times <= 2, one:log())
    end)
  end)
end
