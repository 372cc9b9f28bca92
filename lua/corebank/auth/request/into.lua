--- Where the body of a large answer goes: a function that takes the pieces, or a file. The file has
-- a temporary name until the body is complete.
--
--     sink:open() -> reason      before the request; nil, or why nothing can be written
--     sink:take(piece)
--     sink.hasBegun              whether a piece was taken
--     sink:finish()              called when the body is complete
--     sink:close()               called in any case at the end; removes an incomplete file

local check_text = require "corebank.auth.options.check".text
local core = require "corebank.auth.core"

local newproxy = _G.newproxy   -- of Lua 5.1 and LuaJIT, which call no __gc of a table

local into = {}

-- ---- a function --------------------------------------------------------------------------------

local Function = {}
Function.__index = Function

function Function.open() end

function Function:take(piece)
  self.hasBegun = true
  self.write(piece)
end

function Function.finish() end

function Function.close() end

-- ---- a file ------------------------------------------------------------------------------------

local File = {}
File.__index = File

-- Removes an incomplete file when its sink is collected: nginx ends a handler without a call of
-- `close` when the client has gone. A forked child leaves the file of its parent.
local function remove_when_collected(sink)
  local process = core.pid()
  local function remove()
    if sink.part and core.pid() == process then os.remove(sink.part) end
  end
  if not newproxy then return setmetatable({}, {__gc = remove}) end
  local guard = newproxy(true)
  getmetatable(guard).__gc = remove
  return guard
end

-- The temporary file is in the same folder: os.rename works only within one file system.
function File:open()
  local part = ("%s.%08x.part"):format(self.path, math.floor(core.random() * 2 ^ 32))
  local file, fault = io.open(part, "wb")
  if not file then return fault end
  self.file, self.part = file, part
  self.guard = remove_when_collected(self)
end

local function check(ok, fault)
  if not ok then error("into cannot be written: " .. tostring(fault), 0) end
end

function File:take(piece)
  self.hasBegun = true
  check(self.file:write(piece))
end

function File:finish()
  local file = self.file
  self.file = nil
  check(file:close())
  check(os.rename(self.part, self.path))
  self.part = nil
end

function File:close()
  local file, part = self.file, self.part
  self.file, self.part = nil, nil
  if file then file:close() end
  if part then os.remove(part) end
end

--- Reads the option `into`.
---@param given function|string
---@return table? sink
---@return string? reason
function into.read(given)
  if type(given) == "function" then return setmetatable({write = given}, Function) end
  if type(given) ~= "string" then
    return nil, "must be a function or the name of a file, not " .. type(given)
  end
  local ok, reason = check_text(given)
  if not ok then return nil, reason end
  -- A new file would replace a device or a pipe, and also a link in /dev, such as /dev/stdout.
  if given:find "^/+dev/" or core.file_mode(given) and not core.file_stamp(given) then
    return nil, "must not be a device, a pipe or a folder: give a file, or a function that writes"
  end
  return setmetatable({path = given}, File)
end

return into
