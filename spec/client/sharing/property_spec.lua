-- Clients that share a store, through random histories in which all goes wrong: the bank, the
-- store, and what handlers of events do. No token is handed out too late, nobody waits for ever,
-- and at the end nothing is left: no transfer, no lease.

local client = require "corebank.auth.client.client"
local next_token = require "corebank.auth.client.next_token"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local options = require "corebank.auth.options.read"
local randomly = require "spec.support.random"

local pick = randomly.pick

local HISTORIES, STEPS = 400, 150

local function random_bank(random)
  local reissues = random() < 0.3   -- a token for each 50 seconds, whoever asks for it
  return function(n, now)
    local answer
    if random() < 0.4 then
      answer = pick(random, {{status = 503}, {failure = "connect"}, {status = 401},
        {status = 429, retryAfter = 4}})
    elseif reissues then
      local epoch = math.floor(now / 50)
      answer = {token = "token-" .. epoch, validity = math.max(1, (epoch + 1) * 50 - now)}
    else
      answer = {token = "token-" .. n, validity = pick(random, {2, 5, 20, 60})}
    end
    answer.takes = pick(random, {0, 0.05, 0.3, 1, 2.5})
    return answer
  end
end

-- A store that fails now and then, and knows who has leases.
local function random_store(random, world)
  local whole, held = memory.new(world.system.boot), {}
  local store = {name = "random", failing = pick(random, {0, 0, 0.1, 0.3}), held = held}
  for _, operation in ipairs{"get", "put", "delete", "lease", "release"} do
    store[operation] = function(_, name, owner, ...)
      if random() < store.failing then return nil, "broken" end
      local result, fault = whole[operation](whole, name, owner, ...)
      if operation == "lease" and result then held[name] = owner end
      if operation == "release" and held[name] == owner then held[name] = nil end
      return result, fault
    end
  end
  return store
end

local ACTS = {"close", "forget", "invalidate", "look", "peek", "raise"}

-- What anybody may do with a client, in a handler or without one.
local function act(kept, what)
  if what == "raise" then error("mine", 0) end
  if not kept.isClosed then kept[what](kept, what == "invalidate" and kept:peek() or nil) end
end

-- Nothing but what a handler raised itself may come out.
local function check(ok, fault)
  fault = tostring(fault)
  assert(ok or fault == "mine" or fault:find("the client is closed", 1, true), fault)
end

local function guarded(...)
  check(pcall(...))
end

-- The same of what waits: Lua 5.1 yields through no pcall.
local function guarded_wait(job, kept)
  local thread = coroutine.create(job)
  local ok, fault = coroutine.resume(thread, kept)
  while coroutine.status(thread) ~= "dead" do
    coroutine.yield()
    ok, fault = coroutine.resume(thread)
  end
  check(ok, fault)
end

-- A maker of clients, each in a process of its own, with a handler that now and then does what
-- anybody may do.
local function maker(world, random, store, acting)
  local all = {}
  return function()
    local i = #all + 1
    local settings = assert(options.read({baseUrl = "https://bank.example", clientId = "id",
      clientSecret = "canary-secret", attempts = 1, timeout = pick(random, {1, 3, 10}),
      store = store, onEvent = function()
        if random() < acting then act(all[i], pick(random, ACTS)) end
      end}, true))
    local system = setmetatable({pid = function() return i end}, {__index = world.system})
    all[i] = client.new(settings, system, world.host)
    return all[i]
  end, all
end

local function ask(kept)
  local token, _, problem = kept:token()
  assert(token or problem.code)
  assert(not token or token:remaining() > 0, "an expired token was handed out")
end

local function step(world, random, kept)
  local what = random()
  if what < 0.5 then
    world.call(function() guarded_wait(ask, kept) end)
  elseif what < 0.6 then
    guarded(next_token.tend, kept)
  elseif what < 0.7 then
    world.call(function() guarded_wait(kept.settle, kept) end)
  elseif what < 0.8 then
    guarded(act, kept, pick(random, ACTS))
  else
    world.skip(pick(random, {0.1, 1, 3, 8}))
  end
end

-- As a host does: what a handler raises ends one flight, and not the others.
local function pass(world, seconds)
  local ends = world.now + seconds
  while world.now < ends do
    world.now = world.now + 0.05
    guarded(world.settle)
  end
end

local function check_nothing_is_left(world, clients, store)
  assert(next(world.running) == nil, "somebody waits for ever")
  assert(next(world.open) == nil, "a transfer is open")
  for _, kept in ipairs(clients) do assert(not kept:is_fetching(), "a flight has not ended") end
  assert(store.failing > 0 or next(store.held) == nil, "a lease was not given back")
end

local function history(random)
  local world = fake.world(random_bank(random))
  world.random, world.host.longestIdle = random, pick(random, {2, false})
  local store = random_store(random, world)
  local make, all = maker(world, random, store, pick(random, {0, 0.1, 0.3}))
  local clients, count = {}, 1 + math.floor(random() * 4)
  for _ = 1, STEPS do
    local i = 1 + math.floor(random() * count)
    if not clients[i] or clients[i].isClosed then clients[i] = make() end
    step(world, random, clients[i])
    pass(world, pick(random, {0.05, 0.3, 1, 3}))
  end
  pass(world, 40)
  for _, kept in ipairs(all) do guarded(kept.close, kept) end
  check_nothing_is_left(world, all, store)
end

describe("clients that share a store #slow", function()
  it("keep their promises, whatever goes wrong (CBA_SEED=" .. randomly.seed .. ")", function()
    local random = randomly.generator()
    for _ = 1, HISTORIES do history(random) end
  end)
end)
