-- R2, R4: files that a large body comes from or goes to, and that are none: folders, pipes,
-- devices, links, names with a NUL; files that become shorter or are replaced meanwhile.

local auth = require "corebank.auth"
local files = require "spec.support.files"
local into = require "corebank.auth.request.into"
local lfs = require "lfs"
local process = require "spec.process"
local sandbox = require "spec.sandbox"
local survive = require "spec.support.survive"

local bank = sandbox.bank()
local STATEMENT = "/api/accounts/v1/accounts/1/statement"
local MIB = 1048576

describe("the name of a file #transfer", function()
  local scenario, client, folder

  before_each(function()
    scenario = bank:scenario{}
    client = auth.client(survive.options{baseUrl = scenario.baseUrl, attempts = 1})
    folder = files.new_folder()
    lfs.mkdir(folder .. "/folder")
    files.output_of("mkfifo " .. files.quoted(folder .. "/pipe"))
    lfs.link("/dev/full", folder .. "/device", true)
  end)
  after_each(function() client:close() end)

  local function mistake_of(given)
    local ok, message = pcall(function() return (client:request(given)) end)
    assert.is_false(ok)
    assert.is_truthy(message:find "files_spec.lua:%d+: request: ", message)
    assert.equal(0, scenario:calls())
    return message
  end

  it("for `into` is none of a folder, a pipe or a device: nothing is sent", function()
    for _, name in ipairs{"folder", "folder/", "pipe", "device"} do
      local message = mistake_of{path = STATEMENT, into = folder .. "/" .. name}
      assert.is_truthy(message:find("into must not be a device, a pipe or a folder", 1, true),
        message)
    end
    assert.is_truthy(mistake_of{path = STATEMENT, into = "a\0b"}:find("NUL byte", 1, true))
    assert.equal("named pipe", lfs.attributes(folder .. "/pipe", "mode"))
  end)

  it("for `into` may be a link, whose place the file takes", function()
    files.write(folder .. "/target", "before")
    lfs.link("target", folder .. "/link", true)
    assert.equal(200, assert(client:request{path = STATEMENT, into = folder .. "/link"}).status)
    assert.equal("before", files.content(folder .. "/target"))
    assert.equal(4096, #files.content(folder .. "/link"))
  end)

  it("for a body is no folder, which would be an empty body", function()
    local message = mistake_of{path = "/api/echo", body = {file = folder .. "/folder"}}
    assert.is_truthy(message:find("body cannot be read: ", 1, true), message)
    assert.is_truthy(message:find("is a folder", 1, true), message)
    assert.is_truthy(mistake_of{path = "/api/echo", body = {file = "a\0b"}}:find("NUL byte", 1,
      true))
  end)

  it("for a body may be a pipe, whose bytes are sent once", function()
    local path = files.quoted(folder .. "/pipe")
    local writer = io.popen(("printf 'from a pipe' >%s"):format(path))
    local reply = assert(client:request{path = "/api/echo", body = {file = folder .. "/pipe"}})
    writer:close()
    assert.equal("from a pipe", assert(reply:json()).body)
  end)

  it("for a body whose file becomes shorter meanwhile is an error that says so", function()
    local path = folder .. "/shrinks"
    files.output_of(("truncate -s 8M %s"):format(files.quoted(path)))
    local results
    local ok, message = pcall(function()
      results = client:requestAll({
        {path = "/api/echo", body = {file = path}, maxBytes = 64 * MIB,
          timeout = 30},
        {path = STATEMENT, into = function()
          files.output_of(("truncate -s 1000 %s"):format(files.quoted(path)))
        end},
      })
    end)
    if ok then
      assert.is_nil(results[1].problem)   -- it was read before
    else
      assert.equal("body cannot be read: the file has become shorter meanwhile", message)
    end
  end)

  it("for a body whose file is replaced meanwhile is sent once", function()
    local path = folder .. "/replaced"
    files.write(path, "first")
    assert(client:token())
    scenario:revoke()
    scenario:api{{delay = 1.5}, {}}
    local change = io.popen(("sleep 0.1; echo other >%s; mv %s %s"):format(
      files.quoted(path .. ".new"), files.quoted(path .. ".new"), files.quoted(path)))
    local reply = assert(client:request{path = "/api/echo", body = {file = path}})
    change:close()
    assert.equal(401, reply.status)
    assert.equal(1, scenario:calls())
  end)
end)

describe("an incomplete file #transfer", function()
  it("goes with its sink that nobody closed, but not in a forked child", function()
    local folder = files.new_folder()
    local kept = {sink = into.read(folder .. "/statement")}
    assert.is_nil(kept.sink:open())
    kept.sink:take "a piece"
    local function drop()
      kept.sink = nil
      for _ = 1, 3 do collectgarbage() end
      return files.count_entries(folder) - 2   -- "." and ".."
    end
    assert.equal(0, process.wait(process.fork(function() return drop() == 1 end)))
    assert.equal(0, drop())
    assert(lfs.rmdir(folder))
  end)
end)
