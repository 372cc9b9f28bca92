-- What Redis does to those who use it: they have a token all the same, and are told once.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"
local socket = require "socket"
local survive = require "spec.support.survive"

if not redis.possible then return end

local NAME = ("0123456789abcdef"):rep(2)

local bank, faults

before_each(function()
  bank = sandbox.bank():scenario{{}}
  faults = {}
end)
after_each(redis.stop_all)

-- A client on a host of its own.
local function new_client(store)
  local function note(event)
    if event.name == "store_failed" then faults[#faults + 1] = event.fault end
  end
  return auth.client(survive.options{baseUrl = bank.baseUrl, store = store, onEvent = note})
end

local function store_at(server, changes)
  local options = {url = server.url}
  for name, value in pairs(changes or {}) do options[name] = value end
  return auth.store.redis(options)
end

-- Two clients of one store get a token, quickly, and one fault is told. Returns that.
local function survives(store)
  local began = socket.gettime()
  for _ = 1, 2 do
    local client = new_client(store)
    assert(client:token())
    client:close()
  end
  assert.is_true(socket.gettime() - began < 2)
  assert.equal(1, #faults, table.concat(faults, "\n"))
  assert.is_nil(faults[1]:find("canary", 1, true))
  return faults[1]
end

describe("a token comes though Redis #redis", function()
  it("is away", function()
    local server = redis.start()
    server:stop()
    assert.equal("redis: connection refused", survives(store_at(server)))
  end)

  it("is killed, and it is used again when it is back", function()
    local server = redis.start()
    local store = store_at(server)
    assert(new_client(store):token())
    server:stop()
    assert.equal("redis: connection refused", survives(store))
    assert.equal(3, bank:posts())
    server:run()
    sandbox.await("it is not used again", function() return store:put(NAME, "bytes", 60) end)
    assert.equal("bytes", (store:get(NAME)))
    assert(new_client(store):token())
    assert(new_client(store):token())
    assert.equal(4, bank:posts())
  end)

  it("stands still", function()
    local server = redis.start()
    local store = store_at(server, {timeout = 0.2})
    server:signal "STOP"
    assert.equal("redis: timeout", survives(store))
    server:signal "CONT"
  end)

  it("wants a password, or another one", function()
    local server = redis.start{requirepass = "canary-secret"}
    assert.equal("redis: NOAUTH, a password is needed", survives(store_at(server)))
    faults = {}
    assert.equal("redis: WRONGPASS, wrong user or password",
      survives(store_at(server, {password = "canary-secret-wrong"})))
  end)

  it("K10: does not let its user run what is needed, or use these keys", function()
    local server = redis.start()
    server:cli "acl setuser me on '>canary-secret' '~*' +@all -incr"
    local url = server.url:gsub("//", "//me:canary-secret@")
    assert.equal("redis: NOPERM, its user must have the right to run all commands that the store "
      .. "needs", survives(auth.store.redis{url = url}))
    faults = {}
    server:cli "acl setuser me -eval"
    assert.equal("redis: NOPERM, its user must have the right to run 'eval'",
      survives(auth.store.redis{url = url}))
    faults = {}
    server:cli "acl setuser me +@all resetkeys '~other:*'"
    assert.equal("redis: NOPERM, its user must have the right to all keys with this prefix",
      survives(auth.store.redis{url = url}))
  end)

  it("has no memory left", function()
    local server = redis.start{["maxmemory-policy"] = "noeviction"}
    server:cli "config set maxmemory 1"
    assert.equal("redis: OOM, the server has no memory left for writes", survives(store_at(server)))
  end)

  it("evicts or loses what it had", function()
    local server = redis.start()
    local store = store_at(server)
    for _ = 1, 3 do
      assert(new_client(store):token())
      server:cli "flushall"
    end
    assert.same({3, 0}, {bank:posts(), #faults})
  end)

  it("K7: is a replica, with a master or without", function()
    local server = redis.start{replicaof = "127.0.0.1 1"}
    assert.equal("redis: READONLY, this is a replica, which cannot be written to",
      survives(store_at(server)))
    faults = {}
    server:cli "config set replica-serve-stale-data no"
    assert.equal("redis: MASTERDOWN, this is a replica without its master",
      survives(store_at(server)))
  end)

  it("K13: is one server of a cluster", function()
    local server = redis.start{["cluster-enabled"] = "yes",
      ["cluster-require-full-coverage"] = "no"}
    server:cli "cluster addslots 1"
    assert.is_truthy(survives(store_at(server)):find "^redis: CLUSTERDOWN, ")
  end)

  it("is starting", function()
    local dir = files.new_folder()
    local server = redis.start{dir = dir, ["enable-debug-command"] = "local", rdbcompression = "no"}
    server:cli "debug populate 3000 key 1000"
    server:cli "save"
    server:stop()
    server.settings["key-load-delay"] = "2000"
    server.settings["loading-process-events-interval-bytes"] = "1024"
    server:run()
    assert.equal("redis: LOADING, the server is starting", survives(store_at(server)))
    server:stop()
    os.execute("rm -rf " .. files.quoted(dir))
  end)

  it("has garbage under our names", function()
    local server = redis.start()
    local store = store_at(server)
    assert(new_client(store):token())
    for key in server:cli "keys '*'":gmatch "%S+}" do
      server:cli("set " .. key .. " canary-token-garbage px 60000")
    end
    assert.equal("the entry cannot be opened; it is damaged", survives(store))
    faults = {}
    for key in server:cli "keys '*'":gmatch "%S+}" do
      server:cli("del " .. key)
      server:cli("lpush " .. key .. " garbage")
    end
    assert.equal("redis: WRONGTYPE, a key of another kind has this name", survives(store))
  end)

  it("is no Redis", function()
    local web = sandbox.raw{connections = {{{"read", 1},
      {"send", "HTTP/1.1 400 canary-secret\r\n\r\n"}}}}
    assert.equal("redis: an unexpected reply",
      survives(auth.store.redis{url = "redis://127.0.0.1:" .. web.port}))
    web:stop()
  end)
end)

describe("a Redis that stood still #redis", function()
  it("keeps an entry no longer than its time, whatever happens meanwhile", function()
    local server = redis.start()
    local store, other = store_at(server, {timeout = 0.1}), store_at(server)
    local began = socket.gettime()
    -- The script has asked for the time there before the server stops.
    local slow = auth.store.redis{timeout = 0.1, connect = function()
      local client = require "redis".connect("127.0.0.1", server.port, 0.1)
      local calls = 0
      return {eval = function(_, ...)
        calls = calls + 1
        if calls == 2 then server:signal "STOP" end
        return client:eval(...)
      end, close = function() client.network.socket:close() end}
    end}
    assert.same({nil, "redis: timeout"}, {slow:put(NAME, "bytes", 10)})
    assert.same({nil, "redis: timeout"}, {store:get(NAME)})
    sandbox.await("a second", function() return socket.gettime() > began + 1 end)
    server:signal "CONT"
    local left
    sandbox.await("it was not run", function() left = select(3, other:get(NAME)) return left end)
    assert.is_true(left <= 10 - 1, left)
  end)
end)

describe("K1: a reply that comes byte by byte, or too late #redis", function()
  local OLD, NEW = "*2\r\n$3\r\nold\r\n:60000\r\n", "*2\r\n$3\r\nnew\r\n:60000\r\n"

  it("costs the timeout of one operation, and is nobody else's reply", function()
    local slow = sandbox.raw{connections = {{{"read", 1}, {"send", OLD, every = 0.05}},
      {{"read", 1}, {"send", NEW}, "silence"}}}
    local options = {url = "redis://127.0.0.1:" .. slow.port, timeout = 0.3}
    local began = socket.gettime()
    assert.same({nil, "redis: timeout"}, {auth.store.redis(options):get(NAME)})
    assert.is_true(socket.gettime() - began < 0.6)
    assert.equal("new", (auth.store.redis(options):get(NAME)))
    slow:stop()
  end)
end)
