-- Many banks in one gateway: all are kept, so many are asked at a time, and answers about them keep
-- no worker from others (G13).

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()

local COUNT = 1200
local DICT = "8m"            -- docs/gateway.md has it: so much for 1,200 banks
local MOST_FETCHES = 32      -- of a worker's pulse

-- With a record of how many fetches a worker has in flight at the most.
local SET_UP = [[
  local gateway = require "corebank.auth.nginx"
  for i = 1, COUNT do
    local options = $options
    options.name, options.headers = "bank" .. i, {["X-Tenant"] = "tenant" .. i}
    gateway.setup(options)
  end
  local banks = require "corebank.auth.gateway.banks"
  local function watch(premature)
    local fetching = 0
    for _, each in ipairs(banks.each()) do
      if each.client:is_fetching() then fetching = fetching + 1 end
    end
    if fetching > (package.loaded.most or 0) then package.loaded.most = fetching end
    if not premature then ngx.timer.at(0.01, watch) end
  end
  watch()
]]

-- /timed: the longest time from one turn of others to the next.
local SERVER = [[
  location = /state { content_by_lua_block {
    local dict = ngx.shared.corebank
    ngx.print(dict:capacity() - dict:free_space(), " ", #dict:get_keys(0), " ",
      package.loaded.most or 0)
  } }
  location = /timed { content_by_lua_block {
    local clock, real = require("corebank.auth.core").boot, ngx.sleep
    local longest, began = 0, clock()
    local function lap() longest, began = math.max(longest, clock() - began), clock() end
    ngx.sleep = function(seconds)
      lap()
      real(seconds)
      began = clock()
    end
    local real_print = ngx.print
    ngx.print = function() end
    require("corebank.auth.nginx")[ngx.var.arg_what]()
    ngx.print, ngx.sleep = real_print, real
    lap()
    ngx.status = 200
    ngx.say(longest)
  } }
]]

describe("a gateway with many banks #nginx", function()
  local gate

  after_each(gateway.stop_all)

  local function start(count, dict)
    local scenario = bank:scenario{{delay = 0.05}}
    gate = gateway.start{no_setup = true, setup = {baseUrl = scenario.baseUrl}, server = SERVER,
      dict = ("lua_shared_dict corebank %s;"):format(dict),
      init_worker = (SET_UP:gsub("COUNT", count))}
    gate:await_ready(120)
    return scenario
  end

  -- The shortest of some: a busy machine makes it longer.
  local function turn_of(what)
    local shortest = math.huge
    for _ = 1, 10 do
      local _, _, body = gate:get("/timed?what=" .. what)
      local seconds = tonumber(body)
      assert.is_truthy(seconds, body .. gate:log())
      shortest = math.min(shortest, seconds)
    end
    return shortest
  end

  it("G13: all have a token, 1 POST for each, and not too many at a time", function()
    local scenario = start(COUNT, DICT)
    assert.equal(COUNT, scenario:posts())
    local _, _, state = gate:get("/state")
    local used, keys, most = state:match "^(%d+) (%d+) (%d+)$"
    assert.is_true(tonumber(used) < 8 * 1024 * 1024, state)
    assert.is_true(tonumber(keys) >= COUNT, state)
    assert.is_true(tonumber(most) <= MOST_FETCHES and tonumber(most) >= 2, state)
    assert.equal("", gate:log())
    for _, what in ipairs{"ready", "metrics", "status"} do
      local seconds = turn_of(what)
      assert.is_true(seconds < 0.02, what .. " keeps the worker for " .. seconds)
    end
  end)

  it("readiness, metrics and status of 100 take less than 10 ms", function()
    start(100, "1m")
    for _, what in ipairs{"ready", "metrics", "status"} do
      local seconds = turn_of(what)
      assert.is_true(seconds < 0.01, what .. " takes " .. seconds)
    end
  end)
end)
