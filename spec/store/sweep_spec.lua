-- S18: what changed secrets leave behind is removed when something is written, and nothing else.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local lfs = require "lfs"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()

local DAY = 86400
local LIFE = 8 * DAY   -- the longest life of a token, and a day

local dir
before_each(function() dir = files.new_folder() end)
after_each(function() os.execute("rm -rf '" .. dir .. "'") end)

local function name_of(i) return ("%032x"):format(i) end

-- As if all files had been written so many seconds ago.
local function age(seconds, names)
  for _, name in ipairs(names or files.lines_of("ls '" .. dir .. "'")) do
    assert(lfs.touch(dir .. "/" .. name, os.time() - seconds))
  end
end

local function write(name, bytes)
  files.write(dir .. "/" .. name, bytes, "600")
end

local function there(name) return lfs.symlinkattributes(dir .. "/" .. name) ~= nil end

describe("S18: a write to the file store", function()
  it("removes what 200 secrets left behind, and keeps what is good", function()
    local store, scenario = auth.store.file{dir = dir}, bank:scenario{{}}
    local function fetch(i)
      local client = auth.client(survive.options{baseUrl = scenario.baseUrl, store = store,
        clientSecret = "canary-secret-" .. i})
      local token, message = client:token()
      client:close()
      return token or message
    end
    for i = 1, 200 do fetch(i) end
    assert.is_true(files.count_entries(dir) >= 400)
    age(LIFE - 60)
    fetch(1000)
    assert.is_true(files.count_entries(dir) >= 400)
    age(LIFE + 60)
    fetch(1001)
    assert.is_true(files.count_entries(dir) <= 2 + 3)   -- the two dots, and what is new
  end)

  it("removes entries, leases that nobody holds and half-written files, of its own", function()
    local store = auth.store.file{dir = dir}
    write(name_of(1), "corebank-auth 1\nsealed")
    write(name_of(1) .. ".lease", "")
    write(name_of(2) .. ".lease", "corebank-auth lease 1 000000000000001 owner\n")
    write(name_of(3) .. ".new", "corebank-auth 1\nhal")
    write(name_of(4) .. ".new", "")
    write(name_of(5) .. ".lease.new", "coreb")
    write(name_of(6), "corebank-auth 2\nof a version that is gone")
    age(LIFE + 60)
    assert.same({true}, {store:put(name_of(7), "bytes", 60)})
    assert.same({name_of(7)}, files.lines_of("ls '" .. dir .. "'"))
  end)

  it("leaves what is not certainly its own", function()
    local store = auth.store.file{dir = dir}
    local kept = {"notes", "notes.new", "x.lease", name_of(1), name_of(2), name_of(3) .. ".txt",
      name_of(4):upper():gsub("0", "A"), name_of(5) .. "0", name_of(6) .. ".lease", "a folder",
      name_of(7), name_of(8)}
    for _, name in ipairs(kept) do write(name, "corebank-auth 1\nbytes") end
    write(name_of(1), "another program's, by the MD5 of what it is")
    write(name_of(2), "")
    write(name_of(6) .. ".lease", "another's")
    os.execute(("cd '%s'; rm 'a folder' %s %s; mkdir 'a folder' %s; ln -s notes %s"):format(dir,
      name_of(7), name_of(8), name_of(7), name_of(8)))
    age(LIFE + 60, {"notes", "notes.new", "x.lease", name_of(1), name_of(2),
      name_of(3) .. ".txt", name_of(6) .. ".lease", "a folder", name_of(7), name_of(5) .. "0"})
    assert.is_true(store:put(name_of(9), "bytes", 60))
    for _, name in ipairs(kept) do assert.is_true(there(name), name) end
  end)

  it("leaves what somebody holds or is writing, or was written ahead of the clock", function()
    local store = auth.store.file{dir = dir}
    assert.is_true(store:lease(name_of(1), "owner", 60))
    write(name_of(2), "corebank-auth 1\nahead")
    write(name_of(3), "corebank-auth 1\nfresh")
    age(LIFE + 60, {name_of(1) .. ".lease"})
    age(-LIFE, {name_of(2)})
    assert.is_true(store:put(name_of(4), "bytes", 60))
    assert.is_true(there(name_of(1) .. ".lease"))
    assert.equal("ahead", store:get(name_of(2)))
    assert.equal("fresh", store:get(name_of(3)))
    assert.is_true(store:release(name_of(1), "owner"))
    age(LIFE + 60, {name_of(1) .. ".lease"})
    assert.is_true(store:put(name_of(4), "bytes", 60))
    assert.is_false(there(name_of(1) .. ".lease"))
  end)
end)
