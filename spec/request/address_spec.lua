-- Where a request goes: paths, queries, URLs; always at the API's origin.

local address = require "corebank.auth.request.address"
local auth = require "corebank.auth"
local options = require "corebank.auth.options.read"

local function settings_of(changes)
  local given = {baseUrl = "https://bank.example/v2/", clientId = "id",
    clientSecret = "canary-secret"}
  for name, value in pairs(changes or {}) do given[name] = value end
  return assert(options.read(given, true))
end

local function url_of(path, query, changes)
  local settings = settings_of(changes)
  return address.of(settings, assert(address.check_path(path)), nil,
    query and assert(address.check_query(query)))
end

describe("the path of a request", function()
  it("is appended to the base URL, or to apiUrl", function()
    assert.equal("https://bank.example/v2/a/b", url_of "/a/b")
    assert.equal("https://bank.example/v2/", url_of "/")
    assert.equal("https://api.bank.example:8443/x/a", url_of("/a", nil,
      {apiUrl = "https://api.bank.example:8443/x/"}))
    assert.equal("https://bank.example/v2/a", url_of("/a", nil, {path = "/token"}))
  end)

  it("is encoded where a URL cannot hold a character, and an escape stays", function()
    assert.equal("https://bank.example/v2/a%20b/%C3%A4", url_of "/a b/ä")
    assert.equal("https://bank.example/v2/a%20b%2Fc", url_of "/a%20b%2Fc")
    assert.equal("https://bank.example/v2/%7Ba%7D%22%3C", url_of '/{a}"<')
  end)

  it("may have a query, as it is written", function()
    assert.equal("https://bank.example/v2/a?x=1&y=%C3%A4", url_of "/a?x=1&y=ä")
    assert.equal("https://bank.example/v2/a?x=1&z=2", url_of("/a?x=1", {z = 2}))
    assert.equal("https://bank.example/v2/a?next=/../b", url_of "/a?next=/../b")
  end)

  for path, reason in pairs{
    [""] = "must begin with one /", ["a"] = "must begin with one /",
    ["//evil.example/a"] = "must begin with one /", ["/\\evil.example"] = "must begin with one /",
    ["https://bank.example/"] = "url takes a whole URL", ["/a\\b"] = "a backslash",
    ["/a#b"] = "a #", ["/a\r\nX: 1"] = "control characters", ["/a\tb"] = "control characters",
    ["/a%b"] = "hexadecimal digits", ["/a%"] = "hexadecimal digits",
    ["/a%2"] = "hexadecimal digits", ["/../a"] = "segments . and ..",
    ["/a/.."] = "segments . and ..", ["/a/./b"] = "segments . and ..",
    ["/a/%2e%2E/b"] = "segments . and ..", ["/a/.%2e"] = "segments . and ..",
    ["/a/..?x=1"] = "segments . and ..", ["/" .. ("a"):rep(8192)] = "8192 bytes",
  } do
    it(("%q is a mistake"):format(path:sub(1, 30)), function()
      local checked, wrong = address.check_path(path)
      assert.is_nil(checked)
      assert.is_truthy(wrong:find(reason, 1, true), wrong)
    end)
  end

  it("must be a string", function()
    assert.is_nil((address.check_path(7)))
    assert.is_nil((address.check_path{}))
  end)
end)

describe("the query of a request", function()
  it("has names in order, and encodes all but what RFC 3986 leaves alone", function()
    assert.equal("a=1&b=x%20y&c=%26%3D%2B%2F%3F%23%25&%C3%A4=~-._",
      address.check_query{b = "x y", a = 1, c = "&=+/?#%", ["ä"] = "~-._"})
    assert.equal("", address.check_query{})
  end)

  it("writes numbers as JSON does, on every Lua, and booleans", function()
    assert.equal("a=5&b=1000000000000000&c=19.95&d=true&e=false",
      address.check_query{a = 5.0, b = 1e15, c = 19.95, d = true, e = false})
  end)

  it("writes a list as a name several times", function()
    assert.equal("id=1&id=2&x=y", address.check_query{id = {1, "2"}, x = {"y"}, z = {}})
  end)

  for what, query in pairs{["a function"] = {a = print}, ["null"] = {a = auth.null},
    ["NaN"] = {a = 0 / 0}, ["a table in a list"] = {a = {{}}}, ["a list of pairs"] = {"a"}} do
    it("of " .. what .. " is a mistake", function()
      assert.is_nil((address.check_query(query)))
    end)
  end
end)

describe("the url of a request", function()
  local function of(url, changes) return address.of(settings_of(changes), nil, url) end

  it("may be a URL of the API's origin, whatever its spelling", function()
    for url, sent in pairs{
      ["https://bank.example/a?page=2"] = "https://bank.example/a?page=2",
      ["HTTPS://BANK.example:443/a"] = "https://bank.example:443/a",
      ["/a?page=2"] = "https://bank.example/a?page=2",
      ["https://bank.example/a#part"] = "https://bank.example/a",
    } do
      assert.equal(sent, (of(url):gsub("^(%a+://)([^/]*)",
        function(scheme, host) return scheme .. host:lower() end)))
    end
    assert.equal("https://api.example/a", of("/a", {apiUrl = "https://api.example"}))
  end)

  for _, url in ipairs{"https://evil.example/", "//evil.example/a", "http://bank.example/",
    "https://bank.example:444/", "https://bank.example./", "https://bank.example.evil.example/",
    "https://user@bank.example/", "https://bank.example@evil.example/", "https:evil.example",
    "https://bank.example%2Fevil.example/", "https://bank.example%40evil.example/",
    "https://bank.example\\@evil.example/", "\\\\evil.example\\a", "/\\evil.example/a",
    "https://bank.example\t.evil.example/", "https://evil.example\r\n/", "javascript:alert(1)",
    "ftp://bank.example/", "file:///etc/passwd", ""} do
    it(("%q goes nowhere else"):format(url), function()
      local sent, mistake = of(url)
      if sent then
        assert.equal("https://bank.example/", sent:match "^https://[^/]*/")
      else
        assert.is_truthy(mistake:find "^url ", mistake)
      end
    end)
  end

  it("elsewhere is a mistake that names both origins", function()
    local _, mistake = of "https://evil.example/a?x=canary-token"
    assert.equal("url leads to https://evil.example, but the token is for https://bank.example "
      .. "only; apiUrl names another origin", mistake)
  end)
end)
