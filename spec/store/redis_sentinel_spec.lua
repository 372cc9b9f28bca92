-- A Redis with a replica and a Sentinel that makes it the master: hosts find it by `connect`.

local auth = require "corebank.auth"
local redis = require "spec.support.redis"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

if not redis.possible then return end

local NAME = ("0123456789abcdef"):rep(2)

describe("Redis with Sentinel #redis", function()
  local master, replica, sentinel

  before_each(function()
    master = redis.start()
    replica = redis.start{replicaof = "127.0.0.1 " .. master.port,
      ["repl-diskless-sync-delay"] = "0"}
    master:cli "config set repl-diskless-sync-delay 0"
    sentinel = redis.start({["sentinel monitor"] = ("mine 127.0.0.1 %d 1"):format(master.port),
      ["sentinel down-after-milliseconds"] = "mine 300",
      ["sentinel failover-timeout"] = "mine 2000"}, "--sentinel")
    sandbox.await("the replica is not in step", function()
      return replica:cli "info replication":find("master_link_status:up", 1, true)
        and sentinel:cli "sentinel replicas mine":find(replica.port, 1, true)
    end)
  end)
  after_each(redis.stop_all)

  local function master_port()
    return tonumber(sentinel:cli "sentinel get-master-addr-by-name mine":match "(%d+)%s*$")
  end

  -- As an application does: asks Sentinel for the master, each time.
  local function store()
    return auth.store.redis{connect = function()
      local client = require "redis".connect("127.0.0.1", master_port(), 0.5)
      return client, function(it) it:quit() end
    end}
  end

  local function await_failover()
    sandbox.await("there is no failover", function()
      return master_port() == replica.port
        and replica:cli "info replication":find("role:master", 1, true)
    end)
  end

  it("keeps a lease and its turn through a failover", function()
    local one, other = store(), store()
    assert.is_true(one:lease(NAME, "a", 60))
    sandbox.await("the replica does not get it", function()
      return replica:cli("exists corebank-auth:{" .. NAME .. "}:lease"):find "1"
    end)
    assert.is_truthy(sentinel:cli "sentinel failover mine":find "OK")
    await_failover()
    assert.is_true(one:lease(NAME, "a", 60))   -- renewed, for it is short
    assert.is_false(other:lease(NAME, "b", 60))
    assert.is_true(one:put(NAME, "bytes", 60, "a"))
    assert.equal("bytes", (other:get(NAME)))
    assert.is_true(other:lease(NAME, "b", 60))
  end)

  it("gives tokens while the master dies with a lease, and takes them afterwards", function()
    local bank = sandbox.bank():scenario{{}}
    local function new_client()
      return auth.client(survive.options{baseUrl = bank.baseUrl, store = store()})
    end
    local dying = store()
    assert.is_true(dying:lease(NAME, "a", 60))
    master:stop()
    assert(new_client():token())
    await_failover()
    assert(new_client():token())
    assert(new_client():token())
    assert.equal(2, bank:posts())
  end)
end)
