-- A bank that lets one token live at a time: each new one revokes the one before. Four hosts share
-- the token through Redis, in a world without sockets.

local new_fleet = require "spec.support.fleet"
local randomly = require "spec.support.random"

local HOSTS, LIFETIMES = 4, 12
local REFRESHED = 0.8          -- of a lifetime, at the earliest
local TAKES = 0.1              -- seconds of a POST; in the middle of it the old token is revoked
local STEP = 0.05

-- A bank and its API: `is_valid(token)` is what the API says.
local function new_bank(validity)
  local valid, next_one, at
  local fleet = new_fleet(function(n, now)
    next_one, at = "canary-token-" .. n, now + TAKES / 2
    return {token = next_one, validity = validity, takes = TAKES}
  end)
  return fleet, function(token)
    if next_one and fleet.world.now >= at then valid, next_one = next_one, nil end
    return token == valid
  end
end

-- Sends a request as a gateway does: after a 401 once more with the next token. Returns whether the
-- API took it, and how many times the API was asked.
local function send(kept, is_valid)
  local token = assert(kept:token())
  if is_valid(token.accessToken) then return true, 1 end
  kept:invalidate(token)
  return is_valid(assert(kept:token()).accessToken), 2
end

describe("four hosts at a bank with one live token (CBA_SEED=" .. randomly.seed .. ")", function()
  for _, validity in ipairs{12, 60, 300} do
    it("see no 401, and ask for one token in a lifetime of " .. validity .. " s", function()
      local random = randomly.generator()
      local fleet, is_valid = new_bank(validity)
      local world, hosts, refused, repeated = fleet.world, {}, 0, 0
      world.random = random
      for i = 1, HOSTS do hosts[i] = fleet.host{boot = 1000 * i, wall = -60 * i}.process() end
      local ends = world.now + LIFETIMES * REFRESHED * validity
      while world.now < ends do
        for _, kept in ipairs(hosts) do
          if random() < 0.4 then
            world.call(function()
              local taken, times = send(kept, is_valid)
              refused, repeated = refused + (taken and 0 or 1), repeated + times - 1
            end)
          end
        end
        world.pass(STEP, STEP / 2)
      end
      assert.equal(0, refused)
      assert.is_true(repeated > LIFETIMES, repeated)   -- else the test shows nothing
      assert.is_true(#world.posts <= LIFETIMES, #world.posts)
    end)
  end
end)
