-- The store in Redis: what all stores must do, and what this one does in its own way.

local auth = require "corebank.auth"
local contract = require "spec.support.store_contract"
local core = require "corebank.auth.core"
local files = require "spec.support.files"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

if not redis.possible then return end

local NAME = ("0123456789abcdef"):rep(2)
local ENTRY = "corebank-auth:{" .. NAME .. "}"

local server
setup(function() server = redis.start() end)
teardown(function() server:stop() end)

local function place_of(options)
  return function()
    server:cli "flushall"
    return {store = auth.store.redis(options()), other = auth.store.redis(options()),
      elapse = socket.sleep}
  end
end

contract.run("redis", place_of(function() return {url = server.url} end), describe, it)

-- A client of the caller's own: redis-lua as it is.
local function connect()
  local client = require "redis".connect("127.0.0.1", server.port)
  return client, function(it) it:quit() end
end

contract.run("redis, with redis-lua connected by the caller",
  place_of(function() return {connect = connect} end), describe, it)

-- A client whose methods return what those of lua-resty-redis do: false for an error of the server,
-- nil for the network, a value of its own for nothing.
local function resty_like()
  local null = {}
  local function returned(value)
    if value == nil then return null end
    if type(value) ~= "table" then return value end
    for i = 1, 2 do value[i] = returned(value[i]) end
    return value
  end
  local client = connect()
  return {eval = function(_, ...)
    local ok, reply = pcall(client.eval, client, ...)
    if ok then return returned(reply) end
    local text = reply:match "redis error: (.*)"
    if text then return false, text end
    return nil, reply:match "([^:]*)$"
  end, close = function() client:quit() end}
end

contract.run("redis, with a client like lua-resty-redis",
  place_of(function() return {connect = resty_like} end), describe, it)

describe("the Redis store #redis", function()
  local store

  before_each(function()
    server:cli "flushall"
    store = auth.store.redis{url = server.url}
  end)

  it("K3: has keys that end by themselves, and no others", function()
    store:put(NAME, "bytes", 60)
    store:lease(NAME, "a", 0.0001)
    local began = core.boot()
    store:lease(NAME, "a", 60)
    local left = tonumber(server:cli("pttl " .. ENTRY .. ":lease"):match "%d+")
    assert.equal("3\n", server:cli "dbsize")
    local passed = (core.boot() - began) * 1000
    assert.is_true(left <= 3000 and left > 2000 - passed, left)
    assert.is_near(60000, tonumber(server:cli("pttl " .. ENTRY):match "%d+"),
      survive.seconds(2000))
    assert.is_near(691200, tonumber(server:cli("ttl " .. ENTRY .. ":turn"):match "%d+"),
      survive.seconds(10))
    store:release(NAME, "a")
    store:delete(NAME)
    assert.equal(ENTRY .. ":turn\n", server:cli "keys '*'")
  end)

  it("K3: says how long an entry is kept, and takes none that is kept for ever", function()
    store:put(NAME, "bytes", 60)
    local bytes, fault, left = store:get(NAME)
    assert.same({"bytes"}, {bytes, fault})
    assert.is_true(left > 58 and left <= 60)
    server:cli("persist " .. ENTRY)
    assert.same({n = 2, nil, "redis: an entry that never ends"},
      (function(...) return {n = select("#", ...), ...} end)(store:get(NAME)))
    assert.is_true(store:put(NAME, "more", 60))
    assert.equal("more", (store:get(NAME)))
  end)

  it("keeps nothing that is over already", function()
    store:put(NAME, "bytes", 60)
    assert.is_true(store:put(NAME, "more", 0))
    assert.is_nil(store:get(NAME))
  end)

  it("K5: drops what the owner of an earlier lease puts", function()
    local later = auth.store.redis{url = server.url}
    assert.is_true(store:lease(NAME, "early", 0.05))
    redis.await_gone(server, ENTRY .. ":lease")
    assert.is_true(later:lease(NAME, "late", 60))
    assert.is_false(store:put(NAME, "old", 60, "early"))
    assert.is_nil(later:get(NAME))
    assert.is_true(later:put(NAME, "new", 60, "late"))
    assert.is_true(later:release(NAME, "late"))
    assert.is_false(store:put(NAME, "old", 60, "early"))
    assert.equal("new", (later:get(NAME)))
    assert.is_true(store:lease(NAME, "early", 60))
    assert.is_true(store:put(NAME, "newest", 60, "early"))
    assert.equal("newest", (later:get(NAME)))
  end)

  it("keeps what another has put meanwhile, if the bytes are to replace others", function()
    local other = auth.store.redis{url = server.url}
    assert.is_true(store:put(NAME, "old", 60))
    assert.is_true(other:put(NAME, "new", 60))
    assert.is_false(store:put(NAME, "rejected", 60, nil, "old"))
    assert.equal("new", (other:get(NAME)))
    assert.is_true(store:put(NAME, "rejected", 60, nil, "new"))
  end)

  it("K5: keeps apart the leases of two owners in one process", function()
    assert.is_true(store:lease(NAME, "early", 0.05))
    redis.await_gone(server, ENTRY .. ":lease")
    assert.is_true(store:lease(NAME, "late", 60))
    assert.is_false(store:put(NAME, "old", 60, "early"))
    assert.is_true(store:put(NAME, "new", 60, "late"))
  end)

  it("K8: lends what was lent before the server's clock went back, or for ever", function()
    for _, milliseconds in ipairs{3600000, 4000} do
      store:lease(NAME, "early", 60)
      assert.is_false(store:lease(NAME, "late", 60))
      server:cli(("pexpire %s:lease %d"):format(ENTRY, milliseconds))
      assert.is_true(store:lease(NAME, "late", 60))
      assert.is_false(store:put(NAME, "old", 60, "early"))
      store:release(NAME, "late")
    end
    server:cli(("set %s:lease early"):format(ENTRY))
    assert.is_true(store:lease(NAME, "late", 60))
  end)

  it("gives a lease back with what its owner puts, in one operation", function()
    assert.is_true(store:lease(NAME, "a", 60))
    assert.is_true(store:put(NAME, "bytes", 60, "a"))
    assert.equal("0\n", server:cli("exists " .. ENTRY .. ":lease"))
    assert.is_true(store:lease(NAME, "b", 60))
    assert.is_true(store:release(NAME, "a"))
    assert.equal("b\n", server:cli("get " .. ENTRY .. ":lease"))
    assert.is_true(store:put(NAME, "bytes", 60))
    assert.equal("b\n", server:cli("get " .. ENTRY .. ":lease"))
  end)

  it("K4: gives an owner the lease whose reply it never saw", function()
    local once = true
    local unclear = auth.store.redis{connect = function()
      local client = connect()
      return {eval = function(_, ...)
        local reply = client:eval(...)
        if once then
          once = false
          return nil, "timeout"
        end
        return reply
      end, close = function() client:quit() end}
    end}
    assert.same({nil, "redis: timeout"}, {unclear:lease(NAME, "a", 60)})
    assert.is_false(store:lease(NAME, "b", 60))
    sandbox.await("it is left alone for good", function() return unclear:lease(NAME, "a", 60) end)
    assert.is_true(unclear:release(NAME, "a"))
    assert.is_true(store:lease(NAME, "b", 60))
  end)

  it("puts an entry in place of a key of another kind", function()
    server:cli("lpush " .. ENTRY .. " garbage")
    assert.is_true(store:put(NAME, "bytes", 60))
    assert.equal("bytes", (store:get(NAME)))
  end)

  it("K12: asks for the caller's client each time, and says whether it is healthy", function()
    local taken, given = 0, {}
    local own = auth.store.redis{connect = function()
      taken = taken + 1
      local client = connect()
      return client, function(it, isHealthy)
        given[#given + 1] = it == client and isHealthy
        client:quit()
      end
    end}
    assert.is_true(own:put(NAME, "bytes", 60))
    assert.equal("bytes", (own:get(NAME)))
    assert.same({true, true}, given)
    server:cli("del " .. ENTRY)
    server:cli("lpush " .. ENTRY .. " an-entry-is-no-list")
    assert.is_nil(own:get(NAME))
    assert.same({true, true, false}, given)
    assert.equal(3, taken)
  end)

  it("has the reply even if the function that takes the client back raises", function()
    local own = auth.store.redis{connect = function()
      return connect(), function(client)
        client:quit()
        error "canary-secret"
      end
    end}
    assert.is_true(own:put(NAME, "bytes", 60))
    assert.same({"bytes"}, {(own:get(NAME))})
  end)

  it("says so when 'connect' returns no client", function()
    for _, returned in ipairs{true, 42, "text", {}} do
      local bytes, fault = auth.store.redis{connect = function() return returned end}:get(NAME)
      assert.is_nil(bytes)
      assert.equal("redis: an unexpected reply", fault)
    end
  end)

  it("says that 'connect' failed, and repeats no error that it does not know", function()
    local function fault_of(open)
      return select(2, auth.store.redis{connect = open}:get(NAME))
    end
    local FAULT = "redis: the function 'connect' failed"
    assert.equal(FAULT, fault_of(function() error "canary-secret" end))
    assert.equal(FAULT, fault_of(function() return nil, "canary-secret" end))
    assert.equal(FAULT, fault_of(function() end))
    assert.equal("redis: connection refused", fault_of(function() return nil, "refused" end))
  end)

  it("K13: says that a server is one of a cluster", function()
    local member = auth.store.redis{connect = function()
      return {eval = function() return false, "MOVED 3999 127.0.0.1:6381" end,
        close = function() end}
    end}
    local fault = "redis: MOVED, this is one server of a cluster: give its client with 'connect'"
    assert.same({nil, fault}, {member:get(NAME)})
  end)

  it("uses the database and the prefix that it is given, and no other", function()
    local other = auth.store.redis{url = server.url .. "/7", prefix = "mine/"}
    other:put(NAME, "bytes", 60)
    assert.is_nil(store:get(NAME))
    assert.equal("mine/{" .. NAME .. "}\n", server:cli "-n 7 keys '*'")
    assert.equal("0\n", server:cli "dbsize")
  end)

  it("leaves no connection open", function()
    for _ = 1, 3 do
      store:put(NAME, "bytes", 60)
      store:get(NAME)
    end
    sandbox.await("a connection is left", function()
      return server:cli "info clients":find "connected_clients:1\r"   -- redis-cli's own
    end)
  end)
end)

describe("a Redis with a password #redis", function()
  local guarded, path
  before_each(function()
    guarded = redis.start{requirepass = "canary-secret"}
    path = os.tmpname()
  end)
  after_each(function()
    guarded:stop()
    os.remove(path)
  end)

  local function works(options)
    options.url = options.url or guarded.url
    return auth.store.redis(options):put(NAME, "bytes", 60) == true
  end

  it("takes it from the URL, an option or a file", function()
    assert.is_true(works{url = (guarded.url:gsub("//", "//:canary%%2dsecret@"))})
    assert.is_true(works{password = "canary-secret"})
    files.write(path, "canary-secret\n", "600")
    assert.is_true(works{passwordFile = path})
    assert.is_false(works{password = "canary-secreT"})
    assert.is_false(works{})
  end)

  it("takes the name of a user, too", function()
    guarded:cli("acl setuser me on '>canary-secret' '~mine:*' "
      .. "+eval +get +set +pexpireat +pttl +time")
    local url = guarded.url:gsub("//", "//me@")
    assert.is_true(works{url = url, password = "canary-secret", prefix = "mine:"})
    assert.is_false(works{url = url, password = "canary-secret", prefix = "yours:"})
  end)

  it("K7: reads the file anew for each connection", function()
    files.write(path, "canary-secret", "600")
    local store = auth.store.redis{url = guarded.url, passwordFile = path}
    assert.is_true(store:put(NAME, "bytes", 60))
    guarded:cli "config set requirepass canary-secret-2"
    guarded.settings.requirepass = "canary-secret-2"
    files.write(path, "canary-secret-2", "600")
    assert.equal("bytes", (store:get(NAME)))
  end)
end)
