-- Two stores as one: what all stores must do, and what this one does in its own way.

local auth = require "corebank.auth"
local contract = require "spec.support.store_contract"
local files = require "spec.support.files"
local layered = require "corebank.auth.store.layered"
local memory = require "corebank.auth.store.memory"
local redis = require "spec.support.redis"
local socket = require "socket"

local NAME = ("0123456789abcdef"):rep(2)

-- One host's clocks, and a far store that says how long it keeps an entry and counts what it does.
local function place()
  local self = {now = 1000, skew = 1790000000, session = "a start", asked = {}}
  self.system = {boot = function() return self.now end,
    wall = function() return self.now + self.skew end, session = function() return self.session end}
  self.kept = memory.new(self.system.boot)
  self.far = {name = "far", waits = true, longestLease = 3}
  local ends = {}
  for _, method in ipairs{"get", "put", "delete", "lease", "release"} do
    self.far[method] = function(_, name, bytes, seconds, ...)
      self.asked[#self.asked + 1] = method
      self.now = self.now + (self.delay or 0)
      if self.fault then return nil, self.fault end
      if method == "put" then ends[name] = self.now + seconds end
      local left = ends[name] and ends[name] - self.now
      local got = self.kept[method](self.kept, name, bytes, seconds, ...)
      if method == "get" then return got, nil, got and left + (self.delay or 0) end
      return got
    end
  end
  self.near = memory.new(self.system.boot)
  self.store = layered.new(self.near, self.far, self.system)
  --- The programs of another host.
  function self.new_host()
    return layered.new(memory.new(self.system.boot), self.far, self.system)
  end
  self.other = layered.new(self.near, self.far, self.system)
  function self.elapse(seconds) self.now = self.now + seconds end
  --- How often the far store is asked while `work` runs.
  function self.times(work)
    local before = #self.asked
    work()
    return #self.asked - before
  end
  return self
end

contract.run("layered", place, describe, it)

if redis.possible then
  describe("before a Redis #redis", function()
    local server
    setup(function() server = redis.start() end)
    teardown(function() server:stop() end)

    local function before_redis(new_near, close)
      return function()
        server:cli "flushall"
        local near = new_near()
        return {store = auth.store.layered(near, auth.store.redis{url = server.url}),
          other = auth.store.layered(near, auth.store.redis{url = server.url}),
          elapse = socket.sleep, close = close}
      end
    end

    contract.run("memory", before_redis(memory.new), describe, it)

    local dir
    contract.run("file", before_redis(function()
      dir = files.new_folder()
      return auth.store.file{dir = dir}
    end, function() os.execute("rm -rf " .. files.quoted(dir)) end), describe, it)
  end)
end

describe("a layered store", function()
  it("wants two stores", function()
    local far = memory.new()
    for _, stores in ipairs{{n = 0}, {far}, {far, {}}, {"near", far}} do
      assert.has_error(function() auth.store.layered(stores[1], stores[2]) end)
    end
    local _, message = pcall(auth.store.layered, far, {})
    assert.equal("store.layered: argument #2 must be a store: it has no method 'get'", message)
  end)

  it("finds what is near without the far one", function()
    local at = place()
    at.store:put(NAME, "bytes", 60)
    assert.equal(0, at.times(function() assert.equal("bytes", (at.other:get(NAME))) end))
  end)

  it("keeps near what comes from far", function()
    local at = place()
    at.new_host():put(NAME, "bytes", 60)
    assert.equal(1, at.times(function()
      for _ = 1, 10 do assert.equal("bytes", (at.store:get(NAME))) end
    end))
  end)

  it("K9: keeps a copy for what is left, counted from before the question", function()
    local at = place()
    at.new_host():put(NAME, "bytes", 60)
    at.elapse(20)
    at.delay = 5
    assert.same({"bytes", nil, 40}, {at.store:get(NAME)})
    assert.same({"bytes", nil, 35}, {at.store:get(NAME)})
    at.elapse(34)
    assert.same({"bytes", nil, 1}, {at.store:get(NAME)})
    at.elapse(1)
    assert.is_nil(at.store:get(NAME))
  end)

  it("ends a copy by either clock, whatever the near store keeps", function()
    for _, change in ipairs{function(at) at.elapse(60) end, function(at) at.skew = at.skew + 60 end,
      function(at) at.session = "another start" end} do
      local at = place()
      local put = at.near.put
      rawset(at.near, "put", function(near, name, bytes) return put(near, name, bytes, 1e6) end)
      at.store:put(NAME, "bytes", 60)
      at.kept:delete(NAME)
      assert.equal("bytes", (at.store:get(NAME)))
      change(at)
      assert.is_nil(at.store:get(NAME))
    end
  end)

  it("takes no garbage for a copy", function()
    local at = place()
    for _, garbage in ipairs{"", "\n", "garbage", "a start 1\nbytes", "a start x y\nbytes"} do
      at.near:put(NAME, garbage, 60)
      assert.is_nil(at.store:get(NAME))
    end
  end)

  it("asks the far one first when a copy will not do, and then has the copy", function()
    local at = place()
    at.store:put(NAME, "old", 60)
    at.new_host():put(NAME, "new", 60)
    assert.equal("old", (at.store:get(NAME)))
    assert.equal("new", (at.store:get(NAME, true)))
    assert.equal("new", (at.store:get(NAME)))
    at.kept:delete(NAME)
    assert.same({"new", nil, 60}, {at.store:get(NAME, true)})
    at.fault = "is broken"
    assert.same({"new", "is broken", 60}, {at.store:get(NAME, true)})
  end)

  it("lends near first: of one host one asks the far one", function()
    local at = place()
    assert.is_true(at.store:lease(NAME, "a", 60))
    assert.equal(0, at.times(function() assert.is_false(at.other:lease(NAME, "b", 60)) end))
    local elsewhere = at.new_host()
    assert.is_false(elsewhere:lease(NAME, "c", 60))
    at.store:release(NAME, "a")
    assert.is_true(elsewhere:lease(NAME, "d", 60))   -- and nobody has it there
  end)

  it("lends to one of each host when the far one fails", function()
    local at = place()
    at.fault = "is broken"
    local elsewhere = at.new_host()
    assert.same({true, "is broken"}, {at.store:lease(NAME, "a", 60)})
    assert.is_false(at.other:lease(NAME, "b", 60))
    assert.same({true, "is broken"}, {elsewhere:lease(NAME, "c", 60)})
    assert.same({nil, "is broken"}, {at.store:put(NAME, "bytes", 60, "a")})
    assert.equal("bytes", (at.other:get(NAME)))
  end)

  it("K5: has no copy of what the far one dropped", function()
    local at = place()
    function at.far.put() return false end
    at.new_host()
    assert.is_false(at.store:put(NAME, "old", 60, "a"))
    assert.is_nil(at.near:get(NAME))
  end)

  it("works without a near one that works", function()
    local at = place()
    for _, method in ipairs{"get", "put", "lease"} do
      rawset(at.near, method, function() return nil, "is full" end)
    end
    assert.same({true, "is full"}, {at.store:put(NAME, "bytes", 60)})
    assert.same({"bytes", "is full", 60}, {at.store:get(NAME)})
    assert.same({true, "is full"}, {at.store:lease(NAME, "a", 60)})
  end)
end)
