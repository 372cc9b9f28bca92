-- The harness of script/bench: what it makes of measurements, and what it must not bring along.

local figures = require "bench.harness.figures"
local files = require "spec.support.files"
local peers = require "bench.harness.peers"
local sandbox = require "spec.sandbox"
local turns = require "bench.harness.turns"

describe("figures", function()
  it("has the median between the least and the most", function()
    assert.same({2, 1, 9}, {figures.median{9, 1, 2}})
    assert.same({1.5, 1, 2}, {figures.median{2, 1}})
    assert.equal("2.0 (1.0 to 9.0)", figures.with_spread({9, 1, 2}, "%.1f"))
  end)

  it("has an interval for the median, from what a coin does", function()
    assert.is_nil((figures.interval{1, 2, 3, 4, 5}))
    assert.same({1, 6}, {figures.interval{6, 5, 4, 3, 2, 1}})
    for count, ends in pairs{[9] = {2, 8}, [20] = {6, 15}} do   -- as the tables say
      local values = {}
      for i = 1, count do values[i] = i end
      assert.same(ends, {figures.interval(values)})
    end
  end)

  it("compares what was measured in the same round", function()
    assert.same({2, 0.5}, figures.ratios({4, 1}, {2, 2}))
  end)

  it("lets the peers take turns within a round", function()
    local order, a, b = {}, {name = "a"}, {name = "b"}
    local all = figures.alternate({a, b}, 2, function(peer)
      order[#order + 1] = peer.name
      return {time = #order}
    end)
    assert.equal("abab", table.concat(order))
    assert.same({time = {2, 4}}, all[b])
  end)
end)

describe("the report", function()
  local report, printed

  before_each(function()
    package.loaded["bench.harness.report"] = nil
    report = require "bench.harness.report"
    printed = stub(_G, "print")
  end)

  after_each(function() printed:revert() end)

  -- The last cell of the row that begins with `what`.
  local function verdict_of(what)
    report.verdicts()
    local row = assert(report.text():match("\n| " .. what .. " [^\n]+"), what)
    return row:match "|%s+([^|]-)%s+|$"
  end

  local function values(first, last)
    local list = {}
    for i = 0, 9 do list[i + 1] = first + (last - first) * i / 9 end
    return list
  end

  it("says what is met or missed, and whether chance could turn it", function()
    for what, case in pairs{
      met = {values(0.7, 0.8), "ok", false}, close = {values(0.9, 1.05), "ok, not sure", false},
      few = {{0.5, 0.6}, "ok, not sure", false}, one = {{0.5}, "ok, measured once", false},
      over = {values(1.1, 1.2), "MISSED", true},
      just = {values(0.9, 1.2), "MISSED, not sure", true},
    } do
      report.missed = false
      report.judge(what, case[1], 1)
      assert.equal(case[3], report.missed, what)
      assert.equal(case[2], verdict_of(what))
    end
    report.judge("least", values(0.7, 0.8), nil, 0.9)
    assert.equal("MISSED", verdict_of "least")
  end)

  it("misses a target whose peer is not there", function()
    report.judge("alone", nil, 1)
    assert.is_true(report.missed)
    assert.equal("not judged: a peer is missing", verdict_of "alone")
  end)

  it("judges this library by the nearest peer in Lua, Python or Node", function()
    local ours, far, near = {title = "ours", kind = "ours"}, {title = "far", kind = "Lua"},
      {title = "near", kind = "Node"}
    local all = {[ours] = {wall = values(1, 1)}, [far] = {wall = values(9, 9)},
      [near] = {wall = values(2, 2)}, [{}] = {wall = values(0.1, 0.1)}}
    report.judge_all_ahead("start", {ours, far, {title = "limit", kind = "limit"}, near}, all,
      "wall")
    assert.equal("ok", verdict_of "start")
    assert.is_truthy(report.text():find("| near ", 1, true))
    assert.is_false(report.missed)
    report.judge_all_ahead("first", {ours}, all, "wall", "the others take too long")
    assert.equal("the others take too long", verdict_of "first")
    assert.is_false(report.missed)
    report.judge_all_ahead("alone", {ours}, all, "wall")
    assert.equal("not judged: a peer is missing", verdict_of "alone")
    assert.is_true(report.missed)
  end)
end)

describe("turns", function()
  local size = {turns = 4, exchanges = 7, seconds = 60, least = 2}
  local folder

  setup(function() folder = files.new_folder() end)
  teardown(function() os.execute("rm -r " .. files.quoted(folder)) end)

  local function peer(script)
    return peers.new{title = "this one", turns = {"sh", "-c", script, "sh"}}
  end

  -- Takes its turns, and logs them; seconds by the count of exchanges that it is told.
  local function logging(letter, seconds)
    return peer(("while read -r _; do printf %s >> %s/log; echo $((%d * $1)); done")
      :format(letter, folder, seconds))
  end

  it("are taken one after the other, each first as often as second", function()
    local ratios = turns.ratios(logging("a", 3), logging("b", 2), folder, 2, size)
    assert.same({1.5, 1.5}, ratios)
    assert.equal(("baab"):rep(4), files.content(folder .. "/log"))
  end)

  it("are on one processor in a round", function()
    local path = folder .. "/processors"
    local tell = peer(("while read -r _; do grep Cpus_allowed_list /proc/self/status >> %s; "
      .. "echo 1; done"):format(path))
    turns.ratios(tell, tell, folder, 2, size)
    local lines = files.lines_of("cut -f 2 " .. files.quoted(path))
    for i, line in ipairs(lines) do
      assert.is_truthy(line:find "^%d+$", line)
      assert.equal(lines[i <= 8 and 1 or 9], line)
    end
    assert.equal(2 * 4 * 2, #lines)
    local allowed = files.content "/proc/self/status":match "Cpus_allowed_list:%s*(%S+)"
    assert.equal(allowed:find "%D" ~= nil, lines[1] ~= lines[9])   -- the next round takes another
  end)

  it("are fewer when they take too long, but as many as must be", function()
    local good = peer "while read -r _; do echo 1; done"
    local slow = {turns = 2, exchanges = 7, seconds = 0, least = 2}
    assert.same({1, 1}, turns.ratios(good, good, folder, 5, slow))
    slow.seconds = 60
    assert.same({1, 1, 1, 1, 1}, turns.ratios(good, good, folder, 5, slow))
  end)

  it("are not counted when one of them fails", function()
    local good = peer "while read -r _; do echo 1; done"
    assert.has_error(function() turns.ratios(good, peer "read -r _", folder, 2, size) end,
      "this one ended too early")
    if _VERSION ~= "Lua 5.1" then   -- which is not told how a program ended
      assert.has_error(function()
        turns.ratios(peer "while read -r _; do echo 1; done; exit 3", good, folder, 2, size)
      end, "this one failed at taking turns")
    end
  end)
end)

describe("peers", function()
  it("name no host that their packages come from", function()
    local paths = files.lines_of "find bench/peers -name '*.json'"
    assert.is_truthy(paths[1])
    for _, path in ipairs(paths) do
      assert.is_nil(files.content(path):find "%w://", path)
    end
  end)

  it("know a mode by their program's list, or by words of their own", function()
    local found = peers.with({
      peers.new{title = "one", modes = "start once"}, peers.new{title = "two", once = {"words"}},
      peers.new{title = "three", modes = "warm"},
    }, "once")
    assert.equal("one two", found[1].title .. " " .. found[2].title)
    assert.is_nil(found[3])
    assert.is_true(peers.new{modes = "start get-warm"}:can "get-warm")
    assert.is_false(peers.new{modes = "get-warmest"}:can "get-warm")
  end)
end)

describe("a peer", function()
  -- Says how many POSTs it made of the bank that counts them.
  local function told(made)
    local posts = 7
    local peer = peers.new{title = "this one", warm = {"echo"}}
    function peer.run()
      posts = posts + made
      return "said"
    end
    return peer:run_posting({posts = function() return posts end}, 3, "warm", 2)
  end

  it("is measured only when it asks the bank as often as it is told", function()
    assert.equal("said", told(3))
    assert.has_error(function() told(0) end,
      "this one made 0 POSTs when told 'warm', not 3")
  end)
end)

describe("the sandbox's endpoint of RFC 6749 #transfer", function()
  local bank = sandbox.bank()
  local http = require "socket.http"
  local ltn12 = require "ltn12"
  local mime = require "mime"

  local function grant(form, authorization)
    local parts = {}
    local _, status = http.request{method = "POST", url = bank.plainUrl .. "/oauth2/token",
      source = ltn12.source.string(form), sink = ltn12.sink.table(parts),
      headers = {["content-type"] = "application/x-www-form-urlencoded",
        ["content-length"] = #form, authorization = authorization}}
    return status, table.concat(parts)
  end

  local function check_token(status, body)
    assert.equal(200, status)
    assert.is_truthy(body:find '"access_token":"canary%-token%-')
    assert.is_truthy(body:find '"token_type":"Bearer"')
    assert.is_truthy(body:find '"expires_in":3600')
  end

  it("takes the credentials in the form, or as Basic", function()
    check_token(grant(("grant_type=client_credentials&client_id=%s&client_secret=%s"):format(
      bank.clientId, bank.clientSecret)))
    check_token(grant("grant_type=client_credentials",
      "Basic " .. mime.b64(bank.clientId .. ":" .. bank.clientSecret)))
  end)

  it("refuses a wrong secret, and another grant", function()
    assert.same({401, '{"error":"invalid_client"}'},
      {grant "grant_type=client_credentials&client_id=x&client_secret=y"})
    assert.same({400, '{"error":"unsupported_grant_type"}'}, {grant "grant_type=password"})
  end)

  it("counts as a POST", function()
    local before = bank:posts()
    grant "grant_type=client_credentials"
    assert.is_true(bank:posts() > before)
  end)
end)
