-- A bank that lets one token live at a time: each new one revokes the last. Four hosts share the
-- token through a real Redis, each with a store of its own before it. A host whose token another
-- one has had replaced gets a 401, finds the new token in Redis, and repeats the request.
local auth = require "corebank.auth"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

if not redis.possible then return end

local HOSTS, TOKENS, VALIDITY = 4, 3, 12

describe("four hosts at a bank with one live token #slow", function()
  after_each(redis.stop_all)

  it("get no 401 for a request, and no token more than for one host", function()
    local server, bank = redis.start(), sandbox.bank():scenario{{validity = VALIDITY}}
    local hosts, sent = {}, 0
    for i = 1, HOSTS do
      hosts[i] = auth.client(survive.options{baseUrl = bank.baseUrl,
        store = auth.store.layered(auth.store.memory(), auth.store.redis{url = server.url})})
    end
    sandbox.await("the lifetimes are not over", function()
      for _, host in ipairs(hosts) do
        local reply = assert(host:request{path = "/api/echo"})
        assert.equal(200, reply.status)
        sent = sent + 1
      end
      return bank:posts() == TOKENS and sent % 100 == 0
    end, 4 * VALIDITY)
    assert.equal(TOKENS, bank:posts())
    assert.is_true(sent > 100 * HOSTS, sent)
  end)
end)
