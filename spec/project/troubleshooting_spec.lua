-- docs/troubleshooting.md has the messages that the code has.

local files = require "spec.support.files"

local page = files.content "docs/troubleshooting.md"

-- Source text in which a message is in one piece, however it is broken into literals.
local function joined(path)
  local text = files.content(path)
  text = path:find "%.[ch]$" and text:gsub('"%s*\n%s*"', "")
    or text:gsub('"%s*\n?%s*%.%.%s*"', "")
  return (text:gsub('\\"', '"'))
end

local function sources()
  local all = {}
  for _, path in ipairs(files.lines_of "find csrc -name '*.[ch]'; find lua bin -type f") do
    all[#all + 1] = joined(path)
  end
  -- what the code fills in, and what it concatenates, is … on the page
  return (table.concat(all, "\n"):gsub('"%s*,%s*"', ""))
end

-- What is literal in a message of the page, piece by piece.
local function pieces(message)
  local list = {}
  for piece in (message .. "…"):gmatch "(.-)…" do
    local text = piece:match "^[%s:;,.()']*(.-)[%s:;,.()']*$"
    if #text > 4 then list[#list + 1] = text end
  end
  return list
end

-- Every literal in a file that reads like a message, as the page writes it.
local function messages(path)
  local list = {}
  for text in joined(path):gmatch '"([^"\n]+)"' do
    if text:find "^%l+ [^%%]*%l+ " or text:find "^%%s %l" then
      list[#list + 1] = text:gsub("%%[%-0-9*.]*%a", "…"):gsub("%%%%", "%%"):gsub("\\n", "")
    end
  end
  return list
end

describe("docs/troubleshooting.md", function()
  it("quotes messages that the code has", function()
    local source, count, missing = sources(), 0, {}
    for message in page:gmatch "\n| `([^`]+)` |" do
      for _, piece in ipairs(pieces(message)) do
        if not source:find(piece, 1, true) then missing[#missing + 1] = piece end
      end
      count = count + 1
    end
    assert.same({}, missing, "on the page, and in no message")
    assert.is_true(count > 100)
  end)

  -- Of these files it has all.
  local whole = "ls csrc/store/*.c csrc/lua/secret.c csrc/http/client_*.c"
  for _, path in ipairs(files.lines_of(whole)) do
    it("has every message of " .. path, function()
      local missing = {}
      for _, message in ipairs(messages(path)) do
        if not page:find(message, 1, true) then missing[#missing + 1] = message end
      end
      assert.same({}, missing, "in no row of the page")
    end)
  end
end)
