-- The gateway's counters, on a dict that is a table.

local metrics = require "corebank.auth.gateway.metrics"

describe("metrics", function()
  local values, calls, counters

  -- incr, safe_add and get, as ngx.shared.DICT has them.
  local dict = {}
  function dict.incr(_, key, amount)
    calls = calls + 1
    if not values[key] then return nil, "not found" end
    values[key] = values[key] + amount
    return values[key]
  end
  function dict.safe_add(_, key, amount)
    calls = calls + 1
    if values[key] then return nil, "exists" end
    values[key] = amount
    return true
  end
  function dict.get(_, key) return values[key] end

  local function page_of(list)
    local pieces = {}
    metrics.write(list, function(piece) pieces[#pieces + 1] = piece end)
    return table.concat(pieces)
  end

  local function shown(name)
    return page_of{{metrics = counters, remaining = 7}}:match("\n" .. name .. "{.-} (%S+)")
  end

  before_each(function()
    values, calls = {}, 0
    counters = metrics.new(dict, "default")
  end)

  it("notes without a look into the dict, and counts all of it once", function()
    for _ = 1, 1000 do counters:note "injected" end
    assert.equal(0, calls)
    assert.equal("0", shown "corebank_auth_injected_total")
    counters:count_noted()
    assert.equal("1000", shown "corebank_auth_injected_total")
    calls = 0
    counters:count_noted()
    assert.equal(0, calls)
    counters:note "injected"
    counters:count_noted()
    assert.equal("1001", shown "corebank_auth_injected_total")
  end)

  it("adds up what several workers count", function()
    local other = metrics.new(dict, "default")
    for _ = 1, 3 do counters:add "waits" end
    other:add "waits"
    assert.equal("4", shown "corebank_auth_waits_total")
  end)

  it("a counter that another worker makes at the same moment loses nothing", function()
    local add = dict.safe_add
    function dict.safe_add(self, key, amount)
      dict.safe_add = add
      values[key] = 5
      return add(self, key, amount)
    end
    counters:add "waits"
    assert.equal("6", shown "corebank_auth_waits_total")
  end)

  it("a dict that is full costs the count", function()
    local add = dict.safe_add
    function dict.safe_add() return nil, "no memory" end
    counters:add "waits"
    dict.safe_add = add
    assert.equal("0", shown "corebank_auth_waits_total")
  end)

  it("a fetch is in the bucket of its seconds and in those above", function()
    counters:add_duration(0.3)
    counters:add_duration(60)
    local page = page_of{{metrics = counters, remaining = 7}}
    local function bucket(bound)
      return page:match('_bucket{bank="default",le="' .. bound:gsub("%p", "%%%0") .. '"} (%S+)')
    end
    assert.same({"0", "1", "1", "2"}, {bucket "0.25", bucket "0.5", bucket "30", bucket "+Inf"})
    assert.equal("60.3", shown "corebank_auth_fetch_duration_seconds_sum")
  end)

  it("escapes a bank's name as the format wants it", function()
    counters = metrics.new(dict, 'a"b\\c\nd')
    local page = page_of{{metrics = counters, remaining = 7}}
    assert.is_truthy(page:find([[token_remaining_seconds{bank="a\"b\\c\nd"} 7]], 1, true))
  end)
end)
