-- The store in Redis in a real nginx: the same contract, by lua-resty-redis.

local gateway = require "spec.support.gateway"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"

if not gateway.possible or not redis.possible then return end

-- `near`: the expression of a store before the one in Redis.
local CONTRACT = [[
  local near = $near
  local function new_store()
    local store = auth.store.redis{url = url}
    return near and auth.store.layered(near, store) or store
  end
  local contract = require "spec.support.store_contract"
  local failed = {}
  for _, case in ipairs(contract.cases) do
    local admin = require "nginx.redis":new()
    assert(admin:connect("127.0.0.1", port))
    admin:flushall()
    admin:close()
    ngx.shared.corebank:flush_all()
    local ok, message = pcall(case.run, {store = new_store(), other = new_store(),
      elapse = ngx.sleep})
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
    start{contract = CONTRACT:gsub("$near", "nil"),
      layered = CONTRACT:gsub("$near", 'auth.store.shdict "corebank"')}
    assert.equal("", said "contract")
    assert.equal("", said "layered")
  end)

  it("gives a cold client a token that is there within 5 ms", function()
    local options = gateway.options{baseUrl = sandbox.bank():scenario{}.baseUrl}
    start{token = ([[
      local core = require "corebank.auth.core"
      local took = {}
      for i = 0, 31 do
        local options = %s
        options.store = auth.store.redis{url = url}
        local began = core.boot()
        local bank = auth.client(options)
        assert(bank:token())
        took[i] = core.boot() - began   -- the first one asks the bank
        bank:close()
      end
      table.sort(took)
      return took[1] * 1000 -- of 32: the machine may be busy
      ]]):format(sandbox.literal(options))}
    local milliseconds = tonumber(said "token")
    assert.is_true(milliseconds < 5, milliseconds)
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

  it("uses another connection when a kept one dies as it is used", function()
    local REPLY = "*2\r\n$3\r\nnew\r\n:60000\r\n"
    local function gets(count, port)
      return ([[
        local store = auth.store.redis{url = "redis://127.0.0.1:%d"}
        local got = {}
        for i = 1, %d do
          local bytes, fault = store:get(("a"):rep(32))
          got[i] = bytes or fault
        end
        return table.concat(got, ", ") ]]):format(port, count)
    end
    local alive = sandbox.raw{connections = {{{"read", 1}, {"send", REPLY}, "silence"}}}
    start{once = gets(1, alive.port)}
    assert.equal("new", said "once")
    local length = #alive:received(1)
    gateway.stop_all()
    local dying = sandbox.raw{connections = {
      {{"read", length}, {"send", REPLY}, {"read", length}, "close"},
      {{"read", length}, {"send", REPLY}, "silence"}}}
    start{twice = gets(2, dying.port)}
    assert.equal("new, new", said "twice")
    assert.equal(2, dying:connections())
    alive:stop()
    dying:stop()
  end)

  it("K2: hands no connection to a store with another database, user or password", function()
    start{use = [[
      local name, got = ("a"):rep(32), {}
      local one, other = auth.store.redis{url = url}, auth.store.redis{url = url .. "/7"}
      local user = auth.store.redis{url = url:gsub("//", "//me:canary-secret@")}
      for i, store in ipairs{one, other, user} do
        assert(store:put(name, "bytes " .. i, 60) or store == user)
      end
      for i, store in ipairs{one, other, user} do
        local bytes, fault = store:get(name)
        got[i] = bytes or fault or "nothing"
      end
      return table.concat(got, ", ") ]]}
    assert.equal("bytes 1, bytes 2, nothing", said "use")
  end)

  it("K1, K7: keeps no connection after a fault", function()
    start{use = [[
      local stores = {}
      for i = 1, 4 do stores[i] = auth.store.redis{url = url} end
      for _, store in ipairs(stores) do store:put(("a"):rep(32), "bytes", 60) end
      return "used" ]]}
    server:cli "config set maxmemory 1"
    assert.equal("used", said "use")
    assert.is_truthy(server:cli "info clients":find "connected_clients:1\r")   -- redis-cli's own
  end)

  it("K1: costs the timeout when a reply comes byte by byte, and leaves nothing of it", function()
    local OLD, NEW = "*2\r\n$3\r\nold\r\n:60000\r\n", "*2\r\n$3\r\nnew\r\n:60000\r\n"
    local slow = sandbox.raw{connections = {{{"read", 1}, {"send", OLD, every = 0.05}},
      {{"read", 1}, {"send", NEW}, "silence"}}}
    start{use = ([[
      local store = auth.store.redis{url = "redis://127.0.0.1:%d", timeout = 0.3}
      local core = require "corebank.auth.core"
      local began = core.boot()
      local _, fault = store:get(("a"):rep(32))
      local seconds, bytes = core.boot() - began, nil
      repeat
        ngx.sleep(0.1)
        bytes = store:get(("a"):rep(32))
      until bytes or core.boot() > began + 5
      return fault .. (seconds < 0.6 and " in time, " or " late, ")
        .. tostring(bytes) ]]):format(slow.port)}
    assert.equal("redis: timeout in time, new", said "use")
    slow:stop()
  end)
end)
