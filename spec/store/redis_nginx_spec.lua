-- The store in Redis in a real nginx: the same contract, by lua-resty-redis.

local gateway = require "spec.support.gateway"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not gateway.possible or not redis.possible then return end

local CONTRACT = [[
  local contract = require "spec.support.store_contract"
  local failed = {}
  for _, case in ipairs(contract.cases) do
    local admin = require "nginx.redis":new()
    assert(admin:connect("127.0.0.1", port))
    admin:flushall()
    admin:close()
    local ok, message = pcall(case.run, {store = auth.store.redis{url = url},
      other = auth.store.redis{url = url}, elapse = ngx.sleep})
    if not ok then failed[#failed + 1] = case.title .. ": " .. tostring(message) end
  end
  return #contract.cases > 10 and table.concat(failed, "\n") ]]

describe("the Redis store in nginx #nginx", function()
  local gate, server

  after_each(function()
    gateway.stop_all()
    redis.stop_all()
  end)

  local function start(runs, changes)
    server = redis.start(changes)
    local locations = {}
    for name, run in pairs(runs) do
      locations[#locations + 1] = ([[
        location /%s { content_by_lua_block {
          local auth = require "corebank.auth"
          local port = %d
          local url = "redis://127.0.0.1:" .. port
          local function run() %s end
          ngx.print(tostring((run())))
        } }
]]):format(name, server.port, run)
    end
    gate = gateway.start{setup = {baseUrl = sandbox.bank().url}, workers = 1,
      server = table.concat(locations)}
  end

  local function said(name)
    local status, _, body = gate:get("/" .. name)
    return status == 200 and body or status
  end

  it("does what every store must", function()
    start{contract = CONTRACT}
    assert.equal("", said "contract")
  end)

  it("uses one connection for many operations", function()
    start{use = [[
      local store = auth.store.redis{url = url}
      for i = 1, 50 do assert(store:put(("a"):rep(32), "bytes", 60)) end
      return "used" ]]}
    local function connections()
      return tonumber(server:cli "info stats":match "total_connections_received:(%d+)")
    end
    local before = connections()
    assert.equal("used", said "use")
    assert.equal(before + 2, connections())   -- and redis-cli's own
  end)
end)
