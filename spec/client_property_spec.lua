-- A client against a small model of what a caller may rely on, through random histories: time that
-- passes and jumps, lifetimes long and short, failures, rejections, callers by the dozen.

local client = require "corebank.auth.client"
local fake = require "spec.fake"
local options = require "corebank.auth.options"

local STEPS = 100000
local STEPS_A_CLIENT = 500

local seed = tonumber(os.getenv("CBA_SEED")) or os.time()

-- A generator of our own, so that a seed means the same history on every Lua.
local function generator(state)
  return function()
    state = (state * 16807) % 2147483647
    return state / 2147483647
  end
end

local function pick(random, list) return list[1 + math.floor(random() * #list)] end

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
    issued[#issued + 1] = {token = token, ends = now + lifetime, validity = lifetime}
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

-- A token that has enough time left stays, unless it is rejected or replaced.
local function check_not_lost(before, kept, jumped, world)
  if not before or jumped then return end
  if before:expired(10) or before:remaining() < 0.1 * before.tokenValiditySec then return end
  assert(kept:peek(), "a valid token was lost at " .. world.now)
end

local function check_posts(world, rejections)
  local n = #world.posts
  local early = 0
  for i = 2, n do
    if world.posts[i] - world.posts[i - 1] < 1 - 1e-6 then early = early + 1 end
  end
  assert(early <= rejections, ("%d POSTs within a second of another"):format(early))
end

local function history(random, steps)
  local issued = {}
  local settings = assert(options.read({baseUrl = "https://bank.example", clientId = "id",
    clientSecret = "canary-secret", attempts = 1}, true))
  local world = fake.world(random_bank(random, issued))
  world.random = random
  local kept = client.new(settings, world.system, world.host,
    function() options.release(settings) end)
  local rejections = 0
  for _ = 1, steps do
    local before, jumped = kept:peek(), false
    local what = random()
    if what < 0.45 then
      world.call(function()
        local token, _, problem = kept:token()
        if token then check_token(world, issued, token) else assert(problem.code) end
      end)
    elseif what < 0.9 then
      local span = pick(random, {0.01, 0.2, 1, 5, 50, 800})
      world.pass(span, span / 4)
      jumped = true   -- time is what ends a token
    elseif what < 0.92 then
      world.skew = world.skew + pick(random, {-7200, -60, 60, 7200})
      jumped = true
    elseif what < 0.95 and before then
      if kept:invalidate(before) then rejections, before = rejections + 1, nil end
    else
      local token = kept:peek()
      if token then check_token(world, issued, token) end
    end
    check_not_lost(before, kept, jumped, world)
  end
  world.pass(20, 1)
  assert(next(world.running) == nil, "a caller waits for ever")
  check_posts(world, rejections)
  kept:close()
end

describe("a client through " .. STEPS .. " random steps (CBA_SEED=" .. seed .. ")", function()
  it("keeps its promises", function()
    local random = generator(seed % 2147483646 + 1)
    for _ = 1, STEPS / STEPS_A_CLIENT do history(random, STEPS_A_CLIENT) end
  end)
end)
