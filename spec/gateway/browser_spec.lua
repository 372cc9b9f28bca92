-- The status page in a real browser, Debian's package chromium. script/setup does not install it:
-- it is larger than all other packages together.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

if not gateway.possible then return end

local bank = sandbox.bank()
local quoted = files.quoted

local WIDTHS = {400, 1600}   -- pixels

-- A page with the status page in frames of these widths, and with a script that measures: a frame's
-- width does not depend on the smallest window that a browser allows.
local FRAMES = [[
<!DOCTYPE html><html><body>
<iframe src="/status" width="400" height="900" style="border:0"></iframe>
<iframe src="/status" width="1600" height="900" style="border:0"></iframe>
<script>
function light(colour) {
  var parts = colour.match(/[\d.]+/g).slice(0, 3).map(function (part) {
    part /= 255
    return part <= 0.03928 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4)
  })
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
}
function contrast(one, two) {
  var high = Math.max(light(one), light(two)), low = Math.min(light(one), light(two))
  return (high + 0.05) / (low + 0.05)
}
function measure(frame) {
  var page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow
  var paper = view.getComputedStyle(page.body).backgroundColor
  var least = Math.min.apply(null, Array.from(page.querySelectorAll("main *, header *, footer *"))
    .map(function (each) { return contrast(view.getComputedStyle(each).color, paper) }))
  return {width: frame.clientWidth, scrollWidth: root.scrollWidth, clientWidth: root.clientWidth,
    banks: page.querySelectorAll("section.bank").length, paper: light(paper), contrast: least,
    loaded: view.performance.getEntriesByType("resource").length, title: page.title}
}
window.onload = function () {
  var list = Array.from(document.querySelectorAll("iframe")).map(measure)
  document.body.textContent = "measured:" + JSON.stringify(list) + ":"
}
</script></body></html>
]]

local LOCATIONS = [[
  location = /status { content_by_lua_block { require("corebank.auth.nginx").status() } }
  location = /frames { root .; default_type text/html; try_files /frames.html =404; }
]]

describe("the status page in a browser #nginx #slow", function()
  local gate, profile

  before_each(function() profile = files.new_folder() end)

  after_each(function()
    gateway.stop_all()
    os.execute("rm -rf " .. quoted(profile))
  end)

  local function is_missing()
    return #files.lines_of "command -v chromium" == 0
  end

  -- What the script measured in each frame.
  local function measured(scheme)
    local pipe = assert(io.popen(("unset LD_PRELOAD; HOME=%s timeout 90 chromium --headless "
      .. "--no-sandbox --disable-gpu --disable-dev-shm-usage --no-proxy-server --no-first-run "
      .. "--user-data-dir=%s --window-size=1700,1000 --blink-settings=preferredColorScheme=%d "
      .. "--dump-dom %s/frames 2>/dev/null </dev/null"):format(quoted(profile), quoted(profile),
        scheme == "dark" and 0 or 1, gate.url)))
    local text = pipe:read "*a"
    pipe:close()
    local list = text:match "measured:(.-):</body>"
    assert(list, text)
    return assert(auth.json.decode((list:gsub("&amp;", "&"):gsub("&lt;", "<"):gsub("&gt;", ">"))))
  end

  -- Three banks: one that works, one whose credentials are refused, and one that was not set up;
  -- with a name and a path that are as long as they may be.
  local function start()
    local refused = bank:scenario{{status = 401}}
    local function setup(changes)
      return ("require('corebank.auth.nginx').setup(%s)"):format(
        sandbox.literal(gateway.options(changes)))
    end
    gate = gateway.at_bank({}, {workers = 1, server = LOCATIONS, init_worker = table.concat({
      "$setup", setup{name = ("W"):rep(100), baseUrl = refused.baseUrl},
      setup{name = "missing", caFile = "/" .. ("w"):rep(200)}}, "\n")})
    files.write(gate.dir .. "/frames.html", FRAMES)
    sandbox.await("nothing is refused", function()
      return (select(3, gate:get "/status")):find(">denied: ", 1, true)
    end)
  end

  for _, scheme in ipairs{"light", "dark"} do
    it("fits and can be read, " .. scheme, function()
      if is_missing() then return pending "chromium is not installed" end
      start()
      local list = measured(scheme)
      for i, width in ipairs(WIDTHS) do
        local frame = list[i]
        assert.equal(width, frame.width)
        assert.is_true(frame.scrollWidth <= frame.clientWidth, ("%d pixels: the page has %d of %d")
          :format(width, frame.scrollWidth, frame.clientWidth))
        assert.equal(3, frame.banks)
        assert.is_truthy(frame.title:find "1 of 3 with a valid token")
        assert.equal(0, frame.loaded)
        assert.equal(scheme == "dark", frame.paper < 0.1)
        assert.is_true(frame.contrast >= 4.5, "a contrast of " .. frame.contrast)
      end
    end)
  end
end)
