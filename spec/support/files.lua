--- Files and folders, for every spec, and how to quote a word for a shell. Not for use in nginx.

local lfs = require "lfs"

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

--- Makes a file of these bytes, in place of what was there.
---@param path string
---@param bytes string
---@param mode string? as chmod has it
function files.write(path, bytes, mode)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
  if mode then assert(os.execute(("chmod %s %s"):format(mode, files.quoted(path)))) end
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

--- All that a command prints, on either output.
---@param command string
---@return string
function files.output_of(command)
  local pipe = io.popen(command .. " 2>&1")
  local output = pipe:read "*a"
  pipe:close()
  return output
end

--- A word as a shell takes it.
---@param word string
---@return string
function files.quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- A new folder that only we may look into; who asks for it removes it.
---@return string
function files.new_folder()
  return files.lines_of("mktemp -d")[1]
end

--- How many entries a folder has, "." and ".." with them. Not by a command: a process just started
--- shares descriptors with this one for a moment.
---@param dir string
---@return integer
function files.count_entries(dir)
  local count = 0
  for _ in lfs.dir(dir) do count = count + 1 end
  return count
end

return files
