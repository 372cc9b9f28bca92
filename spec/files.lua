--- What specs about the tree read of it.

local files = {}

--- All of a file.
---@param path string
---@return string
function files.content(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

--- The lines that a command prints, at least one.
---@param command string
---@return string[]
function files.lines_of(command)
  local lines = {}
  local pipe = io.popen(command)
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  assert(#lines > 0, command)
  return lines
end

return files
