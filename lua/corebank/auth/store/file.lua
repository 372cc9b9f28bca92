--- A store in a folder: shared by all processes of one user on one machine.
--
-- csrc/store/ reads and writes the files. This module finds the folder, and keeps the leases of
-- this process.

local core = require "corebank.auth.core"

local LONGEST_PATH = 1000   -- bytes

---@class corebank.auth.FileStore: corebank.auth.Store
---@field dir string? the folder; nil when the environment names none
---@field from string? the environment variable that named it; nil when it was given
local File = {name = "file"}
File.__index = File
File.__metatable = false

local NO_FOLDER = "there is no folder: set HOME or XDG_CACHE_HOME to one"
local ANOTHER = "name another folder"

-- Calls a function of the core with the folder. Unless that was given, a fault that ends in ANOTHER
-- also says which variables name one.
local function in_folder(self, operation, ...)
  if not self.dir then return nil, NO_FOLDER end
  local result, fault = operation(self.dir, ...)
  if fault and self.from and fault:sub(-#ANOTHER) == ANOTHER then
    fault = ("%s with XDG_CACHE_HOME or HOME; this one is from %s"):format(fault, self.from)
  end
  return result, fault
end

--- See store/memory.lua for what every store's methods take and give.
function File:get(name)
  return in_folder(self, core.entry_get, name)
end

--- Several processes may write at once: one of them wins, and nothing is mixed.
function File:put(name, bytes)
  return in_folder(self, core.entry_put, name, bytes)
end

function File:delete(name)
  return in_folder(self, core.entry_delete, name)
end

-- ---- leases ------------------------------------------------------------------------------------

local function key_of(name, owner) return name .. " " .. owner end

local function drop(self, key)
  self.held[key].lease:close()
  self.held[key] = nil
end

-- Closes leases that have ended and were not given back: each is an open file.
local function drop_ended(self, now)
  for key, held in pairs(self.held) do
    if held.ends <= now then drop(self, key) end
  end
end

--- A lease lasts core.LONGEST_LEASE seconds at most. It also ends with its owner's process: the
-- next caller gets it at once, unless it is `patient` and waits for the lease's end.
function File:lease(name, owner, seconds, patient)
  local now, key = self.wall(), key_of(name, owner)
  seconds = math.min(seconds, core.LONGEST_LEASE)
  drop_ended(self, now)
  local held, granted, fault = self.held[key], false, nil
  if held then   -- a forked child has a copy of its parent's lease, and cannot renew that
    granted, fault = held.lease:renew(self.dir, name, owner, now, seconds)
    if granted then held.ends = now + seconds else drop(self, key) end
  end
  if granted == false then
    granted, fault = in_folder(self, core.lease, name, owner, now, seconds, patient)
    if granted then self.held[key] = {lease = granted, ends = now + seconds} end
  end
  return granted and true, fault
end

function File:release(name, owner)
  local key = key_of(name, owner)
  local held = self.held[key]
  if held then
    held.lease:release()
    self.held[key] = nil
  end
  return true
end

-- ---- where the folder is -----------------------------------------------------------------------

-- The XDG Base Directory specification has relative paths ignored.
local function absolute(variable)
  local path = os.getenv(variable)
  return path and path:find("^/") and (path:gsub("/+$", ""))
end

-- The folder, and the variable that named it.
local function usual_folder()
  local from, within = "XDG_CACHE_HOME", "/corebank-auth"
  local base = absolute(from)
  if not base then
    from, within = "HOME", "/.cache/corebank-auth"
    base = absolute(from)
  end
  if base and #base + #within <= LONGEST_PATH then return base .. within, from end
end

-- Without slashes at the end, which would make the system follow a symbolic link.
local function trimmed(path)
  local shorter = path:gsub("/+$", ""):gsub("/%.$", "")
  if shorter == path then return path end
  return trimmed(shorter)
end

local function check_dir(dir)
  if type(dir) ~= "string" then return "must be a string, not " .. type(dir) end
  if dir:find("%z") then return "must not contain a NUL byte" end
  if not dir:find("^/") then return "must be an absolute path" end
  if trimmed(dir) == "" then return "must not be the root folder" end
  if #dir > LONGEST_PATH then return ("must have at most %d bytes"):format(LONGEST_PATH) end
end

local function check(given)
  if type(given) ~= "table" then return "a table is needed, not " .. type(given) end
  for name in pairs(given) do
    if type(name) ~= "string" then return "options must be named; there is only 'dir'" end
    if name ~= "dir" then
      return ("unknown option '%s'; there is only 'dir'"):format(core.printable(name):sub(1, 40))
    end
  end
  local mistake = given.dir ~= nil and check_dir(given.dir)
  if mistake then return "dir " .. mistake end
end

local file = {}

--- Makes a store. Nothing is read or written until it is used.
---@param given {dir: string?}? default: $XDG_CACHE_HOME/corebank-auth or $HOME/.cache/corebank-auth
---@param wall fun(): number? seconds since the epoch; default: the wall clock
---@return corebank.auth.FileStore?
---@return string? mistake
function file.new(given, wall)
  local mistake = check(given or {})
  if mistake then return nil, mistake end
  local dir, from = given and given.dir, nil
  if not dir then dir, from = usual_folder() end
  return setmetatable({dir = dir and trimmed(dir), from = from, wall = wall or core.wall,
    held = {}}, File)
end

return file
