-- S17: what is damaged in a store's folder costs one POST and not one for each run, and `forget`
-- removes it.

local auth = require "corebank.auth"
local command = require "spec.support.command"
local files = require "spec.support.files"
local lfs = require "lfs"
local sandbox = require "spec.sandbox"

local bank = sandbox.bank()

local HEX = ("[0-9a-f]"):rep(32)

local user = command.user(before_each, after_each)
local dir, scenario

before_each(function()
  dir, scenario = user.home .. "/.cache/corebank-auth", bank:scenario{{}}
end)

local function run(words) return user:run(words, {COREBANK_BASE_URL = scenario.baseUrl}) end

local function token() return run(command.trusting{"token"}) end

-- The token's entry, which the command has just made.
local function entry()
  token()
  return files.lines_of(("ls -d '%s'/%s"):format(dir, HEX))[1]
end

-- What may have become of it, as a line of the shell.
local DAMAGE = {
  emptied = ": > @", cut = "truncate -s 20 @", ["cut in its first line"] = "truncate -s 9 @",
  ["cut by its last byte"] = "truncate -s -1 @", ["full of NULs"] = "> @; truncate -s 300 @",
  garbage = "echo garbage > @", ["too large"] = "truncate -s 200000 @",
  ["another's sealed bytes"] = "printf 'corebank-auth 1\\nother bytes' > @",
  ["open to others"] = "chmod 644 @",
  ["a link to nothing"] = "ln -sf /nowhere @",
}

describe("S17: an entry that is", function()
  for what, how in pairs(DAMAGE) do
    it(what .. ": told once, replaced at once", function()
      local path = entry()
      assert(os.execute((how:gsub("@", path))))
      local told = token()
      assert.equal(0, told.status)
      assert.is_truthy(told.err:find("^corebank%-auth: the store failed %(get%): [^\n]*\n$"),
        told.err)
      local again = token()
      assert.equal("", again.err)
      assert.equal(told.out, again.out)
      assert.equal(2, scenario:posts())
      assert.equal("rw-------", lfs.symlinkattributes(path).permissions)
    end)

    it(what .. ": forgotten", function()
      local path = entry()
      assert(os.execute((how:gsub("@", path))))
      local result = run{"forget"}
      assert.equal("", result.err)
      assert.equal(0, result.status)
      assert.is_nil(lfs.symlinkattributes(path))
    end)
  end

  it("of another version: left to that, and forgotten", function()
    local path = entry()
    files.write(path, "corebank-auth 2\nwhat comes after us")
    assert.is_truthy(token().err:find("is of another version", 1, true))
    assert.equal("corebank-auth 2\nwhat comes after us", files.content(path))
    assert.equal(0, run{"forget"}.status)
    assert.is_nil(lfs.symlinkattributes(path))
  end)

  it("no file of the user's: a fault, which `forget` tells, too", function()
    local path = entry()
    for _, how in ipairs{"mkdir @", "mkfifo @"} do
      os.execute("rm -rf '" .. path .. "'")
      assert(os.execute((how:gsub("@", path))))
      local result = run{"forget"}
      assert.equal(1, result.status)
      assert.is_truthy(result.err:find("is not a regular file; remove it", 1, true), result.err)
      assert.is_truthy(lfs.symlinkattributes(path))
    end
    if files.lines_of("id -u")[1] ~= "0" then pending("only root can give files away") return end
    os.execute(("rm -rf '%s'; : >'%s'; chown 65534 '%s'"):format(path, path, path))
    assert.is_truthy(run{"forget"}.err:find("belongs to another user", 1, true))
    assert.is_truthy(lfs.symlinkattributes(path))
  end)
end)

describe("S17: what else lies there", function()
  it("is a half-written entry: it is forgotten with the other", function()
    local path = entry()
    os.execute(("cp -p '%s' '%s.new'"):format(path, path))
    assert.equal(0, run{"forget"}.status)
    assert.is_nil(lfs.symlinkattributes(path .. ".new"))
  end)

  -- As after a chmod -R, or when a backup was unpacked.
  for _, suffix in ipairs{".new", ".lease", ".lease.new"} do
    it("is a " .. suffix .. " that nobody can use: the next one takes its place", function()
      for _, how in ipairs{"chmod 644 @", "chmod 200 @", "rm @; ln -s /nowhere @"} do
        local path = entry() .. suffix
        os.execute((("umask 077; : >@; " .. how):gsub("@", path)))
        os.remove(path:sub(1, -#suffix - 1))
        local posts = scenario:posts()
        local first, second = token(), token()
        assert.equal("", first.err .. second.err)
        assert.equal(posts + 1, scenario:posts())
        local left = lfs.symlinkattributes(path)
        assert.is_true(left == nil or left.permissions == "rw-------", how)
      end
    end)
  end

  it("is a half-written entry that nobody can use: it is forgotten, too", function()
    for _, how in ipairs{"chmod 644 @", "chmod 400 @", "rm @; ln -s /nowhere @"} do
      local path = entry() .. ".new"
      os.execute((("umask 077; : >@; " .. how):gsub("@", path)))
      local result = run{"forget"}
      assert.equal("", result.err)
      assert.equal(0, result.status)
      assert.is_nil(lfs.symlinkattributes(path))
    end
  end)

  it("is a damaged lease: it is nobody's", function()
    local store = auth.store.file{dir = user.home .. "/store"}
    local name = ("0123456789abcdef"):rep(2)
    local path = user.home .. "/store/" .. name .. ".lease"
    for _, content in ipairs{"garbage", ("\0"):rep(50), "corebank-auth lease 1 00000000000000x a\n",
      "corebank-auth lease 1 1", "corebank-auth lea"} do
      store:put(name, "bytes", 60)
      files.write(path, content)
      os.execute("chmod 600 '" .. path .. "'")
      assert.same({true}, {store:lease(name, "owner", 60)})
      assert.is_false(auth.store.file{dir = user.home .. "/store"}:lease(name, "next", 60))
      assert.is_true(store:release(name, "owner"))
    end
  end)
end)
