-- How long a file may be. One that is longer does two jobs, or one in two ways.

local files = require "spec.support.files"

-- Each file under `folders` with such a name has at most so many lines.
local LIMITS = {
  {lines = 450, name = "%.[ch]$", folders = "csrc spec/c",
    advice = "move one of its jobs to a file of its own in the same room, and name that in the "
      .. "room's CMakeLists.txt and in docs/design.md"},
  {lines = 320, name = "%.lua$", folders = "lua",
    advice = "move one of its jobs to a file of its own in the same room, and name that in "
      .. "docs/design.md"},
  {lines = 400, name = "%.lua$", folders = "spec",
    advice = "make a file for each behaviour; what they share goes to spec/support"},
}

local function lines_in(path)
  local _, count = files.content(path):gsub("\n", "")
  return count
end

describe("a file", function()
  for _, limit in ipairs(LIMITS) do
    it(("in %s has at most %d lines"):format(limit.folders, limit.lines), function()
      local found, long = 0, {}
      for _, path in ipairs(files.lines_of("find " .. limit.folders .. " -type f")) do
        if path:find(limit.name) then
          local lines = lines_in(path)
          found = found + 1
          if lines > limit.lines then
            long[#long + 1] = ("%s has %d lines, %d are allowed: %s"):format(path, lines,
              limit.lines, limit.advice)
          end
        end
      end
      assert.is_true(found > 0)
      assert.equal("", table.concat(long, "\n"))
    end)
  end
end)
