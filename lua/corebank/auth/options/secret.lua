--- Reads a secret from a file or from the environment. The secret never becomes a Lua string, which
-- could not be wiped.

local check = require "corebank.auth.options.check"
local core = require "corebank.auth.core"

---@class corebank.auth.Secret
-- Bytes that wipe themselves. No getter; tostring shows "secret(…)".

local secret = {}

--- How many changes of secrets there have been: what `changed_since` is told later.
---@type integer
secret.changes = 0

-- secret -> where it can be read again: `path`, `anyMode`, which of all changes was its last
-- (`changed`), why the file could not be read again (`fault`)
local files = setmetatable({}, {__mode = "k"})

local function check_string(kind, where)
  if type(where) ~= "string" then
    error(("secret.%s: a string is needed, not %s"):format(kind, type(where)), 3)
  end
end

-- What is wrong with the options of `file`.
local function check_options(given)
  if type(given) ~= "table" then return "the options must be a table, not " .. type(given) end
  for name, value in pairs(given) do
    if name ~= "anyMode" then
      return ("unknown option '%s'; there is only anyMode"):format(
        core.printable(tostring(name)):sub(1, 40))
    elseif type(value) ~= "boolean" then
      return "anyMode must be a boolean, not " .. type(value)
    end
  end
end

--- Like `file`, but returns nil and the reason, without the path, when it cannot be used.
---@param path string
---@param how {anyMode: boolean?, stream: boolean?}? stream: also a pipe, to its end, and "-"
---@return corebank.auth.Secret?
---@return string? reason
function secret.from_file(path, how)
  local value, detail = core.secret_file(path, how and how.anyMode, how and how.stream)
  if not value then   -- a shell leaves the ~ of --flag=~/file and of quotes as it is, too
    local hint = path:find "^~" and "; ~ is not expanded here: write the whole path" or ""
    return nil, detail .. hint
  end
  if detail then files[value] = {path = path, anyMode = how and how.anyMode, changed = 0} end
  return value
end

--- The content of a file, less one trailing newline. Raises when it cannot be used: it must be a
-- regular file of at most 4 KiB that is not open to every user of the machine, unless it is on a
-- read-only mount, as a container's secrets are, or `anyMode` is true. When the bank denies it, the
-- file is looked at again.
---@param path string
---@param given {anyMode: boolean?}?
---@return corebank.auth.Secret
function secret.file(path, given)
  check_string("file", path)
  local mistake = given ~= nil and check_options(given)
  if mistake then error("secret.file: " .. mistake, 2) end
  local value, reason = secret.from_file(path, given and {anyMode = given.anyMode})
  if value then return value end
  -- Who gives the secret itself in place of its name, here or below, must not read it in a log:
  -- only what can hardly be one is shown.
  local is_path = path:find "^%.%.?/[%w_./-]+$" or path:find "^/[%w_.-]+/[%w_./-]+$"
  error(("secret.file: %s %s"):format(is_path and path or "the file", reason), 2)
end

--- The value of an environment variable. Raises when it is not set or empty.
---@param name string
---@return corebank.auth.Secret
function secret.env(name)
  check_string("env", name)
  local value, reason = core.secret_env(name)
  if not value then
    local shown = name:find "^%u[%u%d]*_[%u%d_]*$" and name or "the variable"
    error(("secret.env: %s %s"):format(shown, reason or "is not set, or empty"), 2)
  end
  return value
end

-- What the file holds now, or nil and why it cannot be used.
local function read_again(file)
  local fresh, reason = core.secret_file(file.path, file.anyMode)
  if not fresh then return nil, reason:match "^cannot be read: (.*)" or "it " .. reason end
  local fits, limit = check.secret(fresh)
  if fits then return fresh end
  fresh:close()
  return nil, "it " .. limit
end

--- Why a secret's file could not be read when it was last looked at again; nil when it could.
function secret.fault(value)
  return files[value] and files[value].fault
end

--- Whether a secret is another one than it was, its file looked at again if need be. A file that is
-- missing, empty or not usable leaves the secret as it was, for a rotation is rarely one step, and
-- `fault` says why.
---@param value corebank.auth.Secret
---@param changes integer secret.changes at that time
---@return boolean
function secret.changed_since(value, changes)
  local file = files[value]
  if not file then return false end
  if file.changed > changes then return true end
  if not core.is_secret(value) then return false end   -- it was closed
  local fresh
  fresh, file.fault = read_again(file)
  if not fresh then return false end
  local is_other = value:replace(fresh)
  fresh:close()
  if is_other then
    secret.changes = secret.changes + 1
    file.changed = secret.changes
  end
  return is_other
end

return secret
