--- Where the body of a request comes from: a string, JSON, a file by its name, or a function that
-- returns the pieces.
--
-- The core takes a string as a whole. JSON becomes a string first. A file and a function are
-- *sources*, whose pieces the pump moves:
--
--     source:open() -> reason           called once; nil, or why it cannot be read
--     source.size                       bytes, if known
--     source:piece() -> bytes           nil at its end
--     source:can_repeat() -> boolean    whether the same pieces can be read again
--     source:rewind()                   goes back to the first piece
--     source:close()

local check_text = require "corebank.auth.options.check".text
local core = require "corebank.auth.core"

local PIECE = 64 * 1024   -- bytes that are read at once

local body = {}

-- ---- a file ------------------------------------------------------------------------------------

local File = {}
File.__index = File

-- io.open also opens a folder, which looks like an empty file.
local function is_folder(path)
  local inside = io.open(path .. "/.", "rb")
  if inside then inside:close() end
  return inside ~= nil
end

-- The file is opened once: at the second try, another file may have this name.
function File:open()
  local file, fault = io.open(self.path, "rb")
  if not file then return fault end
  self.file = file
  self.size, self.changedAt = core.file_stamp(self.path)
  if not self.size and is_folder(self.path) then return self.path .. " is a folder" end
  self.left = self.size or math.huge
end

function File:rewind()
  assert(self.file:seek("set", 0))
  self.left = self.size
end

-- Reads no more than the size at the start: bytes that are appended later are not part of the body.
function File:piece()
  if self.left <= 0 then return nil end
  local piece, fault = self.file:read(math.min(PIECE, self.left))
  if fault then error("body cannot be read: " .. fault, 0) end
  if piece then
    self.left = self.left - #piece
  elseif self.size then
    error("body cannot be read: the file has become shorter meanwhile", 0)
  end
  return piece
end

-- A pipe has no size, and its bytes can be read only once. A file that has changed is another body.
function File:can_repeat()
  local size, changedAt = core.file_stamp(self.path)
  return self.size ~= nil and size == self.size and changedAt == self.changedAt
end

function File:close()
  local file = self.file
  self.file = nil
  if file then file:close() end
end

-- ---- a function --------------------------------------------------------------------------------

local Function = {}
Function.__index = Function

function Function.open() end

function Function.rewind() end

function Function:piece()
  self.hasBegun = true
  local piece, fault = self.read()
  if piece == nil and fault ~= nil then error(fault, 0) end
  if piece ~= nil and type(piece) ~= "string" then
    error("body must return strings, and nil at its end, not " .. type(piece), 0)
  end
  return piece
end

function Function:can_repeat() return not self.hasBegun end

function Function.close() end

-- ---- choosing ----------------------------------------------------------------------------------

--- Reads the options `json` and `body` of a request.
---@param json any
---@param given string|function|{file: string}|nil
---@return string? text
---@return table? source
---@return string? mistake
function body.read(json, given)
  if json ~= nil and given ~= nil then return nil, nil, "json and body are both given" end
  if json ~= nil then
    local text, mistake = core.json_encode(json)
    return text, nil, not text and "json: " .. mistake or nil
  end
  local kind = type(given)
  if given == nil or kind == "string" then return given end
  if kind == "function" then return nil, setmetatable({read = given}, Function) end
  local path = kind == "table" and rawget(given, "file")
  if type(path) ~= "string" or next(given, next(given)) ~= nil then
    return nil, nil, "body must be a string, a function or {file = path}"
  end
  local ok, reason = check_text(path)
  if not ok then return nil, nil, "body.file " .. reason end
  return nil, setmetatable({path = path}, File)
end

return body
