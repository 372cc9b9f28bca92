-- How often Redis is asked for a lifetime of a token: a real server counts.

local auth = require "corebank.auth"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

if not redis.possible then return end

describe("Redis #redis is asked", function()
  local server, bank

  before_each(function()
    server = redis.start()
    bank = sandbox.bank():scenario{{}}
  end)
  after_each(redis.stop_all)

  -- A client on a host of its own.
  local function new_client(refreshAhead)
    return auth.client(survive.options{baseUrl = bank.baseUrl, refreshAhead = refreshAhead,
      store = auth.store.redis{url = server.url}})
  end

  -- How many scripts the server runs while `work` does.
  local function operations(work)
    server:cli "config resetstat"
    work()
    return tonumber(server:cli "info commandstats":match "cmdstat_eval:calls=(%d+)" or 0)
  end

  local function token_of(client)
    return function() assert(client:token()) end
  end

  it("4 times by the host that gets the token from the bank", function()
    assert.equal(4, operations(token_of(new_client())))
    assert.equal(1, bank:posts())
  end)

  it("once by a host that finds it, and not at all while it is fresh", function()
    local first, second = new_client(), new_client()
    assert(first:token())
    assert.equal(1, operations(token_of(second)))
    assert.equal(0, operations(function()
      for _ = 1, 10 do
        assert(first:token())
        assert(second:token())
      end
    end))
    assert.equal(1, bank:posts())
  end)

  it("4 times by the host that refreshes it, once by one that finds the refreshed one", function()
    bank = sandbox.bank():scenario{{validity = 4}, {}}
    local first, second = new_client(2), new_client(1)
    assert(first:token())
    assert(second:token())
    assert.equal(4, operations(function()
      sandbox.await("no refresh", function()
        assert(first:token())
        first:settle()
        return bank:posts() == 2
      end)
    end))
    assert.equal(1, operations(function()
      sandbox.await("it is not found", function()
        assert(second:token())
        second:settle()
        return second:peek():remaining() > 4
      end)
    end))
    assert.equal(2, bank:posts())
  end)

  -- Two clients on one host, as two workers are.
  local function new_host(refreshAhead)
    local near, clients = auth.store.memory(), {}
    for i = 1, 2 do
      clients[i] = auth.client(survive.options{baseUrl = bank.baseUrl, refreshAhead = refreshAhead,
        store = auth.store.layered(near, auth.store.redis{url = server.url})})
    end
    return clients
  end

  it("4 times by the host that refreshes it, once by each other, with a layered store",
    function()
      bank = sandbox.bank():scenario{{validity = 4}, {}}
      local hosts = {new_host(2), new_host(1.8), new_host(1.6)}
      for i, host in ipairs(hosts) do
        assert.is_true(operations(function()
          for _, client in ipairs(host) do assert(client:token()) end
        end) <= (i == 1 and 4 or 1))
      end
      for i, host in ipairs(hosts) do
        assert.equal(i == 1 and 4 or 1, operations(function()
          sandbox.await("no refresh", function()
            for _, client in ipairs(host) do
              assert(client:token())
              client:settle()
            end
            return host[1]:peek():remaining() > 4 and host[2]:peek():remaining() > 4
          end)
        end))
      end
      assert.equal(2, bank:posts())
    end)
end)
