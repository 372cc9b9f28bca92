--- Parses request headers: one header from the command line, or a file with one in each line.

local core = require "corebank.auth.core"

local header_lines = {}

-- The invisible character at an end of a name or value, such as the BOM at the start of a file.
local function unseen(what, text)
  local _, reason = core.outside(text)
  return reason and ("has a %s that %s"):format(what, reason)
end

--- Adds a header that looks like "Name: value". Blanks around the value are not part of it.
---@return string? mistake without the line, which may hold a key
function header_lines.add(headers, line)
  local name, value = line:match("^([^:]*):[ \t]*(.-)[ \t]*$")
  if not name or name == "" then return "must look like 'Name: value'" end
  local mistake = unseen("name", name) or unseen("value", value)
  if mistake then return mistake end
  if headers[name] then return "must name each header once" end
  headers[name] = core.outside(value)
end

--- Adds those of a file or a pipe. Lines end in LF or CR LF; empty lines are skipped.
---@param headers table<string, string>
---@param flag string that names the file
---@param path string "-" is the standard input
---@param anyMode boolean? also when every user may read it
---@return string? mistake without the path: somebody may have put a key there
function header_lines.add_file(headers, flag, path, anyMode)
  local text, reason = core.private_text(path, anyMode)
  local what = path == "-" and ("the standard input, for %s @-,"):format(flag)
    or "the file given to " .. flag
  if not text then return ("%s %s"):format(what, reason) end
  local number = 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local mistake = line:find "%S" and header_lines.add(headers, (line:gsub("\r$", "")))
    if mistake then return ("%s: line %d %s"):format((what:gsub(",$", "")), number, mistake) end
  end
end

return header_lines
