-- A client against a small model of what a caller may rely on, through random histories: time that
-- passes and jumps, lifetimes long and short, failures, rejections, callers by the dozen.

local client = require "corebank.auth.client.client"
local fake = require "spec.support.fake"
local memory = require "corebank.auth.store.memory"
local options = require "corebank.auth.options.read"
local randomly = require "spec.support.random"

local pick = randomly.pick

local STEPS = 100000
local STEPS_A_HISTORY = 500

-- The bank: keeps account of what it issued, so that the model can judge what is handed out.
local function random_bank(random, issued)
  local mood = "well"
  return function(n, now)
    if random() < 0.1 then mood = pick(random, {"well", "well", "down", "denying", "repeating"}) end
    local takes = pick(random, {0, 0, 0.3, 2, 6})
    if mood == "down" then
      local failure = pick(random, {{failure = "connect"}, {failure = "timeout"}, {status = 503},
        {status = 503, retryAfter = 3}})
      failure.takes = takes
      return failure
    elseif mood == "denying" then
      return {status = 401, takes = takes}
    end
    local last = issued[#issued]
    if mood == "repeating" and last and last.ends > now + 1 then
      return {token = last.token, validity = math.floor(last.ends - now), takes = takes}
    end
    local lifetime = pick(random, {1, 5, 60, 600, 3600, 86400})
    local token = ("token-%d"):format(n)
    issued[#issued + 1] = {token = token, at = now, ends = now + lifetime, validity = lifetime}
    issued[token] = issued[#issued]
    return {token = token, validity = lifetime, takes = takes}
  end
end

local function check_token(world, issued, token)
  local known = issued[token.accessToken]
  assert(known, "a token that the bank never issued")
  assert(world.now < known.ends, "an expired token was handed out")
  assert(token:remaining() <= known.ends - world.now + 1e-6, "more time than the bank gave")
  assert(token:header() == "Bearer " .. known.token, "fields of two tokens are mixed")
  assert(token.tokenValiditySec <= known.validity, "fields of two tokens are mixed")
end

-- The bank's latest token stays as long as it has enough time left by the bank's account, unless
-- it is rejected or a wall clock jumps. The bank counts whole seconds: one may be missing.
local function check_not_lost(before, kept, issued, world)
  local known = issued[before.accessToken]
  local least = math.min(10, 0.1 * known.validity) + 1
  if known == issued[#issued] and known.ends - world.now > least then
    assert(kept:peek(), "a valid token was lost at " .. world.now)
  end
end

-- Time steps that matter: small ones, and to either side of where the token at hand changes.
local function a_while(random, before)
  local left = before and before:remaining() or 10
  return pick(random, {0.01, 0.2, 1, 5, 0.3 * left, 0.79 * left, 0.82 * left, 0.91 * left,
    left + 1})
end

local function check_posts(world, rejections)
  local n = #world.posts
  local early = 0
  for i = 2, n do
    if world.posts[i] - world.posts[i - 1] < 1 - 1e-5 then early = early + 1 end
  end
  assert(early <= rejections, ("%d POSTs within a second of another, %d rejections")
    :format(early, rejections))
end

-- One client by itself, or some that share a store as processes do.
local function clients_in(world, count)
  local list = {}
  local store = count > 1 and memory.new(world.system.boot) or nil
  for i = 1, count do
    local settings = assert(options.read({baseUrl = "https://bank.example", clientId = "id",
      clientSecret = "canary-secret", attempts = 1, store = store}, true))
    local system = setmetatable({pid = function() return i end}, {__index = world.system})
    list[i] = client.new(settings, system, world.host)
  end
  return list
end

local function history(random, steps, count)
  local issued = {}
  local world = fake.world(random_bank(random, issued))
  world.random = random
  local clients = clients_in(world, count)
  local rejections, jumped = 0, -math.huge
  for _ = 1, steps do
    local kept = pick(random, clients)
    local before = kept:peek()
    local what = random()
    if what < 0.45 then
      world.call(function()
        local token, _, problem = kept:token()
        if token then check_token(world, issued, token) else assert(problem.code) end
      end)
    elseif what < 0.9 then
      local span = a_while(random, before)
      if random() < 0.5 then world.pass(span, span / 4) else world.skip(span) end
    elseif what < 0.92 then
      world.skew = world.skew + pick(random, {-7200, -60, 60, 7200})
      before = nil   -- a jump ahead may end it early, and all that were issued before
      jumped = math.max(jumped, world.now)
    elseif what < 0.95 and before then
      if kept:invalidate(before) then rejections, before = rejections + 1, nil end
    else
      local token = kept:peek()
      if token then check_token(world, issued, token) end
    end
    if before and issued[before.accessToken].at > jumped then
      check_not_lost(before, kept, issued, world)
    end
  end
  world.pass(40, 1)
  assert(next(world.running) == nil, "a caller waits for ever")
  check_posts(world, rejections)
  for _, kept in ipairs(clients) do kept:close() end
end

for count, what in pairs{[1] = "a client", [3] = "three clients with one store"} do
  describe(what .. ", " .. STEPS .. " random steps #slow", function()
    it("keeps what is promised (CBA_SEED=" .. randomly.seed .. ")", function()
      local random = randomly.generator()
      for _ = 1, STEPS / STEPS_A_HISTORY do history(random, STEPS_A_HISTORY, count) end
    end)
  end)
end
