-- Links between the pages lead to files and headings that are there, and to no foreign host.

local files = require "spec.support.files"
local lfs = require "lfs"
local pages = require "spec.support.pages"

-- A path from one page, without "." and "..", as the tree has it.
local function resolved(page, target)
  local parts = {}
  local whole = target == "" and page or (page:match("^(.*/)") or "") .. target
  for part in whole:gmatch("[^/]+") do
    if part == ".." then parts[#parts] = nil elseif part ~= "." then parts[#parts + 1] = part end
  end
  return table.concat(parts, "/")
end

describe("pages", function()
  it("link to files and headings that exist", function()
    local count = 0
    for _, page in ipairs(pages.list()) do
      for target in files.content(page):gsub("\n```.-\n```", ""):gmatch("%]%(([^)]+)%)") do
        local path, anchor = target:match("^([^#]*)#?(.*)$")
        path = resolved(page, path)
        local message = ("%s links to %s, which is not there"):format(page, target)
        assert.is_truthy(lfs.attributes(path), message)
        assert.is_truthy(anchor == "" or pages.anchors(path)[anchor], message)
        count = count + 1
      end
    end
    assert.is_true(count > 20)
  end)

  it("name files and folders that exist", function()
    local count = 0
    for _, page in ipairs(pages.list()) do
      for path in files.content(page):gmatch("`(%l+/[%w_/.-]+)[^`\n]*`") do
        local room = path:match "^%l+"
        if lfs.attributes(room) and room ~= "build" and not path:find "NAME" then
          local message = ("%s names %s, which is not there"):format(page, path)
          assert.is_truthy(lfs.attributes(path), message)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 30)
  end)

  it("are all reached from README", function()
    local readme = files.content("README.md")
    for _, page in ipairs(pages.list()) do
      assert.is_truthy(page == "README.md" or readme:find("](" .. page, 1, true), page)
    end
  end)

  it("send nobody to a host other than bank.example or this machine", function()
    local list = pages.list()
    list[#list + 1] = "CHANGELOG.md"
    for _, page in ipairs(list) do
      for host in files.content(page):gmatch("https?://([%w.-]+)") do
        assert.is_truthy(host == "bank.example" or host == "proxy.example" or host == "localhost"
          or host == "127.0.0.1", page .. ": " .. host)
      end
    end
  end)
end)
