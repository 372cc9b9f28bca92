--- A store in a folder: shared by all processes of one user on one machine.
--
-- csrc/store/ has the files and who may use them. This module has where the folder is, and the
-- leases of this process.

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

-- Adds to a fault that ends so by which variables a folder can be named that was not given.
local function advised(self, result, fault, ...)
  if fault and self.from and fault:sub(-#ANOTHER) == ANOTHER then
    fault = ("%s with XDG_CACHE_HOME or HOME; this one is from %s"):format(fault, self.from)
  end
  return result, fault, ...
end

local function in_folder(self, operation, ...)
  if not self.dir then return nil, NO_FOLDER end
  return advised(self, operation(self.dir, ...))
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

-- Closes leases that have ended and were not given back: each is an open file.
local function drop_ended(self, now)
  for key, held in pairs(self.held) do
    if held.ends <= now then
      held.lease:close()
      self.held[key] = nil
    end
  end
end

-- Extends a lease. False when this process has none: a forked child closes its copy of its
-- parent's.
local function renew(self, key, ...)
  local held = self.held[key]
  if not held then return false end
  local renewed, fault = held.lease:renew(self.dir, ...)
  if not renewed then
    held.lease:close()
    self.held[key] = nil
  end
  return renewed, fault
end

--- A lease lasts core.LONGEST_LEASE seconds at most. It also ends with its owner's process: the
-- next caller gets it at once, unless it is `patient` and waits for the lease's end.
function File:lease(name, owner, seconds, patient)
  local now, key = self.wall(), key_of(name, owner)
  seconds = math.min(seconds, core.LONGEST_LEASE)
  drop_ended(self, now)
  local granted, fault = renew(self, key, name, owner, now, seconds)
  if granted == false then
    granted, fault = in_folder(self, core.lease, name, owner, now, seconds, patient)
  end
  if granted == true then
    self.held[key].ends = now + seconds
  elseif granted then
    self.held[key] = {lease = granted, ends = now + seconds}
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
