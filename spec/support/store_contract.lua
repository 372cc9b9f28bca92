--- The contract of all stores: a list of cases, which any runner can run.
--
-- A case gets a place: {store=, other=, elapse=}. `other` is a second store on the same data, or
-- the same store if there can be only one. elapse(seconds) lets time pass, on a real clock or a
-- fake one.
-- The cases use plain assert and nothing of busted, so that they can also run inside nginx.

local LONG = 60        -- seconds; more than a case takes
local SHORT = 0.2      -- seconds, to be waited for

local NAME, ANOTHER = ("0123456789abcdef"):rep(2), ("f"):rep(32)

local cases = {}

local function case(title, run)
  cases[#cases + 1] = {title = title, run = run}
end

local function equal(wanted, got, what)
  if wanted ~= got then
    error(("%s: %s, not %s"):format(what or "value", tostring(got), tostring(wanted)), 2)
  end
end

-- What a call gave: its first result, and that no fault came with it.
local function outcome(value, fault)
  assert(fault == nil, fault)
  return value
end

local function all_bytes()
  local list = {}
  for i = 0, 255 do list[i + 1] = string.char(i) end
  return table.concat(list)
end

-- ---- entries -----------------------------------------------------------------------------------

case("has a name for events", function(place)
  assert(place.store.name:find("^%l+$"))
end)

case("has nothing at first: a miss is nil without a fault", function(place)
  equal(nil, outcome(place.store:get(NAME)))
end)

case("gives back the very bytes, whatever they are", function(place)
  for _, bytes in ipairs{"a", "", "\n", "\0", all_bytes(), all_bytes():rep(516)} do
    equal(true, outcome(place.store:put(NAME, bytes, LONG)))
    assert(outcome(place.store:get(NAME)) == bytes, "other bytes")
    assert(outcome(place.other:get(NAME)) == bytes, "other bytes elsewhere")
  end
end)

case("replaces the bytes that it is to replace, and may keep others", function(place)
  place.store:put(NAME, "old", LONG)
  equal(true, outcome(place.other:put(NAME, "new", LONG, nil, "old")))
  local done = outcome(place.store:put(NAME, "newer", LONG, nil, "old"))
  equal(done and "newer" or "new", outcome(place.other:get(NAME)))
  place.store:delete(NAME)
  equal(true, outcome(place.store:put(NAME, "old", LONG, nil, "older")))
end)

case("replaces what was there", function(place)
  place.store:put(NAME, ("old"):rep(1000), LONG)
  place.other:put(NAME, "new", LONG)
  equal("new", outcome(place.store:get(NAME)))
end)

case("keeps names apart", function(place)
  place.store:put(NAME, "one", LONG)
  place.store:put(ANOTHER, "another", LONG)
  equal("one", outcome(place.store:get(NAME)))
  place.store:delete(NAME)
  equal(nil, outcome(place.store:get(NAME)))
  equal("another", outcome(place.store:get(ANOTHER)))
end)

case("takes names of up to 80 hex digits and dashes", function(place)
  local name = ("0123456789abcdef-"):rep(5):sub(1, 80)
  equal(true, outcome(place.store:put(name, "bytes", LONG)))
  equal("bytes", outcome(place.store:get(name)))
  equal(true, outcome(place.store:lease(name, "a", LONG)))
  equal(true, outcome(place.store:release(name, "a")))
end)

case("deletes what is there, and what is not", function(place)
  equal(true, outcome(place.store:delete(NAME)))
  place.store:put(NAME, "bytes", LONG)
  equal(true, outcome(place.store:delete(NAME)))
  equal(nil, outcome(place.other:get(NAME)))
  equal(true, outcome(place.store:delete(NAME)))
end)

case("may forget an entry after its time, and no sooner", function(place)
  place.store:put(NAME, "bytes", SHORT)
  equal("bytes", outcome(place.store:get(NAME)))
  place.elapse(2 * SHORT)
  local left = outcome(place.store:get(NAME))
  assert(left == nil or left == "bytes")
  place.store:put(NAME, "more", LONG)
  place.elapse(2 * SHORT)
  equal("more", outcome(place.store:get(NAME)))
end)

-- ---- leases ------------------------------------------------------------------------------------

case("lends a name to one at a time", function(place)
  equal(true, outcome(place.store:lease(NAME, "a", LONG)))
  equal(false, outcome(place.store:lease(NAME, "b", LONG)))
  equal(false, outcome(place.other:lease(NAME, "c", LONG)))
  equal(true, outcome(place.store:lease(ANOTHER, "b", LONG)))
end)

case("lends it to the next when it was given back", function(place)
  place.store:lease(NAME, "a", LONG)
  equal(true, outcome(place.store:release(NAME, "a")))
  equal(true, outcome(place.other:lease(NAME, "b", LONG)))
  equal(false, outcome(place.store:lease(NAME, "a", LONG)))
end)

case("takes a lease back from its owner only", function(place)
  equal(true, outcome(place.store:release(NAME, "a")))
  place.store:lease(NAME, "a", LONG)
  equal(true, outcome(place.store:release(NAME, "b")))
  equal(true, outcome(place.other:release(NAME, "b")))
  equal(false, outcome(place.store:lease(NAME, "b", LONG)))
  equal(true, outcome(place.store:release(NAME, "a")))
  equal(true, outcome(place.store:release(NAME, "a")))
  equal(true, outcome(place.store:lease(NAME, "b", LONG)))
end)

case("ends a lease after its time", function(place)
  equal(true, outcome(place.store:lease(NAME, "a", SHORT)))
  equal(false, outcome(place.other:lease(NAME, "b", LONG)))
  place.elapse(2 * SHORT)
  equal(true, outcome(place.other:lease(NAME, "b", LONG)))
  equal(false, outcome(place.store:lease(NAME, "a", LONG)))
  equal(true, outcome(place.store:release(NAME, "a")))   -- it was, and is no more
  equal(false, outcome(place.store:lease(NAME, "c", LONG)))
end)

case("gives its owner a lease that has ended once more", function(place)
  place.store:lease(NAME, "a", SHORT)
  place.elapse(2 * SHORT)
  equal(true, outcome(place.store:lease(NAME, "a", LONG)))
  equal(false, outcome(place.other:lease(NAME, "b", LONG)))
end)

case("gives the owner more time", function(place)
  place.store:lease(NAME, "a", SHORT)
  equal(true, outcome(place.store:lease(NAME, "a", LONG)))
  place.elapse(2 * SHORT)
  equal(false, outcome(place.other:lease(NAME, "b", LONG)))
end)

case("makes no difference of patience while the owner lives", function(place)
  equal(true, outcome(place.store:lease(NAME, "a", SHORT, true)))
  equal(true, outcome(place.store:lease(NAME, "a", SHORT, true)))
  equal(false, outcome(place.other:lease(NAME, "b", LONG, true)))
  place.elapse(2 * SHORT)
  equal(true, outcome(place.other:lease(NAME, "b", LONG, true)))
  place.other:release(NAME, "b")
  equal(true, outcome(place.store:lease(NAME, "a", LONG, true)))
end)

case("keeps leases and entries apart", function(place)
  place.store:lease(NAME, "a", LONG)
  equal(nil, outcome(place.store:get(NAME)))
  place.store:put(NAME, "bytes", LONG)
  place.store:delete(NAME)
  equal(false, outcome(place.other:lease(NAME, "b", LONG)))
  place.store:put(NAME, "bytes", LONG)
  place.store:release(NAME, "a")
  equal("bytes", outcome(place.store:get(NAME)))
end)

local contract = {cases = cases}

--- Runs every case, each in a place of its own. `describe` and `it` are busted's, which a module
-- does not see, or anybody's.
---@param name string
---@param make fun(): table a place; its `close`, if it has one, is called after the case
function contract.run(name, make, describe, it)
  describe("the " .. name .. " store", function()
    for _, each in ipairs(cases) do
      it(each.title, function()
        local place = make()
        local ok, message = pcall(each.run, place)
        if place.close then place.close() end
        assert(ok, message)
      end)
    end
  end)
end

return contract
