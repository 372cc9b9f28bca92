-- Gateways on four hosts, at a bank that lets one token live at a time: each new token revokes the
-- one before. They share the token through a real Redis. A gateway whose token was revoked repeats
-- the request with the next one, as docs/gateway.md shows.

local gateway = require "spec.support.gateway"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not gateway.possible or not redis.possible then return end

local HOSTS, TOKENS, VALIDITY = 4, 4, 5

-- The API is the bank's own, which takes the token that was issued last.
local SERVER = [[
  location /bank/ {
    set $bank_token "";
    rewrite ^/bank(/.*)$ /s/%s/api$1 break;
    rewrite_by_lua_block { require("corebank.auth.nginx").inject() }
    header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
    proxy_set_header Authorization $bank_token;
    proxy_intercept_errors on;
    error_page 401 = @again;
    proxy_pass %s;
  }
  location @again {
    rewrite_by_lua_block { require("corebank.auth.nginx").inject() }
    header_filter_by_lua_block { require("corebank.auth.nginx").observe() }
    proxy_set_header Authorization $bank_token;
    proxy_pass %s;
  }
]]

local SETUP = [[
  local options, store = $options, require("corebank.auth").store
  options.store = store.layered(store.shdict "corebank", store.redis{url = "%s"})
  require("corebank.auth.nginx").setup(options)
]]

describe("gateways at a bank with one live token #nginx #slow", function()
  local server, bank, gates

  before_each(function()
    server, bank, gates = redis.start(), sandbox.bank():scenario{{validity = VALIDITY}}, {}
    local origin = bank.plainUrl:match "^(http://[^/]+)/"
    for i = 1, HOSTS do
      gates[i] = gateway.start{setup = {baseUrl = bank.baseUrl},
        init_worker = SETUP:format(server.url),
        server = SERVER:format(bank.name, origin, origin)}
      gates[i]:await_ready()
    end
  end)
  after_each(function()
    gateway.stop_all()
    redis.stop_all()
  end)

  -- Uses all gateways until the bank has given so many tokens, and everybody has the last one.
  local function use_for(tokens)
    local statuses, rounds, after = {}, 0, 0
    sandbox.await("the lifetimes are not over", function()
      rounds = rounds + 1
      for _, gate in ipairs(gates) do
        local some = rounds % 10 == 0 and gate:at_once(10, "/bank/echo")
          or {[gate:get "/bank/echo"] = 1}
        for status, count in pairs(some) do
          statuses[status] = (statuses[status] or 0) + count
        end
      end
      if bank:posts() >= tokens then after = after + 1 end
      return after == 20
    end, 4 * tokens * VALIDITY)
    return statuses
  end

  it("answer no request with 401, and ask for one token in a lifetime", function()
    local statuses = use_for(TOKENS)
    assert.same({[200] = statuses[200]}, statuses)
    assert.is_true(statuses[200] > 100 * HOSTS, statuses[200])
    assert.equal(TOKENS, bank:posts())
    for _, gate in ipairs(gates) do assert.equal("", gate:log()) end
    local rejected = 0
    for _, request in ipairs(bank:journal()) do
      if request.status == 401 then rejected = rejected + 1 end
    end
    assert.is_true(rejected > 0)   -- else the test shows nothing
  end)
end)
