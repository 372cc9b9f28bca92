--- A fleet of many hosts through random faults: clocks that are off, messages that are lost, a
-- Redis that comes and goes, loses what it has, and whose clock steps.

local new_fleet = require "spec.support.fleet"
local next_token = require "corebank.auth.client.next_token"

local VALIDITY = 60    -- seconds
local STEP = 0.5       -- seconds between two looks at all hosts
local PERIOD = 0.75 * VALIDITY   -- seconds until a token is refreshed, at the least

local simulation = {}

-- What happens to Redis in one period.
local WEATHER = {"fine", "fine", "lossy", "away", "restarted", "stepped"}

local function set_weather(server, random, weather)
  server.up, server.lost = weather ~= "away", function() end
  if weather == "lossy" then
    function server.lost()
      local lot = random()
      return lot < 0.05 and "question" or lot < 0.1 and "answer" or nil
    end
  elseif weather == "restarted" then
    server:flush()
  elseif weather == "stepped" then
    -- Back by less than a lifetime, nobody can tell: then a token seems to be younger than it is.
    local seconds = VALIDITY + random() * 3600
    server.ahead = server.ahead + (random() < 0.5 and seconds or -seconds)
  end
end

-- A host: its client, and when it asked the bank last.
local function new_host(fleet, random)
  local host = {}
  local kept = fleet.host{boot = random() * 1e6, wall = (random() - 0.5) * 7200}.process()
  local transfer = kept.system.transfer
  function kept.system.transfer(...)
    local now = fleet.world.now
    assert(not host.asked or now - host.asked >= PERIOD,
      ("a host asked again after %.1f s"):format(now - (host.asked or 0)))
    host.asked = now
    return transfer(...)
  end
  host.kept = kept
  return host
end

--- Runs it. `ends[token]` is the moment until which the bank takes a token.
---@param hosts integer
---@param periods integer
---@param random fun(): number
---@param report fun(weather: string, posts: integer, operations: integer)? called for each period
function simulation.run(hosts, periods, random, report)
  local ends, all = {}, {}
  local fleet = new_fleet(function(n, now)
    local token = "canary-token-" .. n
    ends[token] = now + VALIDITY
    return {token = token, validity = VALIDITY, takes = random()}
  end)
  local world = fleet.world
  world.random = random
  for i = 1, hosts do all[i] = new_host(fleet, random) end

  local function use(host)
    local token, message = host.kept:token()
    assert(token, message)
    assert(world.now < ends[token.accessToken], "an expired token was handed out")
  end

  for _ = 1, periods do
    local weather = WEATHER[1 + math.floor(random() * #WEATHER)]
    set_weather(fleet.server, random, weather)
    local posts, operations, over = #world.posts, fleet.server.operations, world.now + PERIOD
    while world.now < over do
      for _, host in ipairs(all) do
        if random() < 0.2 then
          world.call(function() use(host) end)
        elseif random() < 0.5 then
          world.call(function() next_token.tend(host.kept) end)
        end
      end
      world.pass(STEP, STEP / 5)
    end
    posts = #world.posts - posts
    assert(posts <= hosts, posts .. " POSTs in one period")
    if report then report(weather, posts, fleet.server.operations - operations) end
  end
  for _, host in ipairs(all) do host.kept:close() end
end

return simulation
