--- Runs the command as a user does: in a process of its own, with an environment of its own.

local files = require "spec.support.files"
local lfs = require "lfs"
local sandbox = require "spec.sandbox"

local quoted = files.quoted

local command = {}

local NOT_THEIRS = {"NO_COLOR", "COREBANK_BASE_URL", "COREBANK_API_URL", "COREBANK_CLIENT_ID",
  "COREBANK_CLIENT_SECRET", "COREBANK_CLIENT_SECRET_FILE", "COREBANK_CA_FILE", "SSL_CERT_FILE",
  "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "XDG_CACHE_HOME", "https_proxy",
  "http_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY"}

--- What the sandbox bank asks of its users' environment.
---@return table<string, string>
function command.environment(home)
  local bank = sandbox.bank()
  return {HOME = home, COREBANK_BASE_URL = bank.url, COREBANK_CLIENT_ID = bank.clientId,
    COREBANK_CLIENT_SECRET = bank.clientSecret}
end

--- The words of a shell that run the command, or another Lua file, with an environment.
---@param environment table<string, string|false>
---@param words string[]
---@param program string?
---@return string
function command.line(environment, words, program)
  local parts = {"env"}
  for _, name in ipairs(NOT_THEIRS) do parts[#parts + 1] = "-u " .. name end
  for name, value in pairs(environment) do
    if value then parts[#parts + 1] = quoted(name .. "=" .. value) end
  end
  parts[#parts + 1] = os.getenv("CBA_LUA") .. " " .. (program or "bin/corebank-auth")
  for _, word in ipairs(words) do parts[#parts + 1] = quoted(word) end
  return table.concat(parts, " ")
end

--- Runs a line of the shell. `home` is where it may write.
---@param home string
---@param line string
---@return {out: string, err: string, status: integer}
function command.run(home, line)
  local out, err = home .. "/out", home .. "/err"
  local status = files.lines_of(("{ %s; } >%s 2>%s </dev/null; echo $?"):format(line, quoted(out),
    quoted(err)))
  return {out = files.content(out), err = files.content(err), status = tonumber(status[#status])}
end

-- Types when it is asked to, and hangs up no sooner than the line has run: an end of input would
-- reach it as ^D. The shell is bash whoever runs the specs: after a ^C that a command has taken,
-- bash goes on with the line, and dash ends.
local TERMINAL = [[
cd %s; rm -f shown done
await() {
  n=0
  until [ -e done ] || grep -q "$1" shown || [ $n = 1200 ]; do sleep 0.05; n=$((n + 1)); done
}
: >shown
{ await %s; printf %s; await '^the end'; } 2>/dev/null |
  SHELL=/bin/bash timeout 60 script -qefc %s shown >/dev/null
cat shown]]

--- Runs a line on a terminal of its own; `keys`, as printf takes them, are typed when it asks for a
-- secret, or shows what else is waited for. What the terminal showed.
---@param home string a folder to work in
---@param line string
---@param keys string
---@param question string?
---@return string
function command.on_terminal(home, line, keys, question)
  line = ("cd %s; %s; touch %s/done"):format(quoted(lfs.currentdir()), line, quoted(home))
  return table.concat(files.lines_of(TERMINAL:format(quoted(home),
    quoted(question or "Client secret: "), quoted(keys), quoted(line))), "\n")
end

--- Words of the command, with the sandbox bank's authority among them.
---@param words string[]
---@return string[]
function command.trusting(words)
  local all = {words[1], "--ca-file", sandbox.bank().caFile}
  for i = 2, #words do all[#all + 1] = words[i] end
  return all
end

-- ---- users --------------------------------------------------------------------------------------

---@class spec.User
---@field home string a folder of their own
local User = {}
User.__index = User

--- A user of the command. `arrive` and `leave` are busted's before_each and after_each, or setup
--- and teardown: the user's folder is made in the first and removed in the second.
---@return spec.User
function command.user(arrive, leave)
  local user = setmetatable({}, User)
  arrive(function() user.home = files.new_folder() end)
  leave(function() assert(os.execute("rm -rf " .. quoted(user.home))) end)
  return user
end

--- Their environment. In `changes`, false takes a variable away.
---@param changes table<string, string|false>?
function User:environment(changes)
  local environment = command.environment(self.home)
  for name, value in pairs(changes or {}) do environment[name] = value end
  return environment
end

--- The words of a shell that run the command, or another Lua file, in their environment.
function User:line(words, changes, program)
  return command.line(self:environment(changes), words, program)
end

--- Runs the command with these words, or a line of the shell. No planted secret may be in what goes
--- to stderr.
---@param words string[]|string
function User:run(words, changes)
  local line = type(words) == "string" and words or self:line(words, changes)
  local result = command.run(self.home, line)
  assert(not result.err:find "canary%-", "a planted secret is in what goes to stderr")
  return result
end

--- Runs the command, which fails with this status and prints nothing: what it says.
function User:fails(status, words, changes)
  local result = self:run(words, changes)
  assert(result.status == status, ("status %s: %s"):format(result.status, result.err))
  assert(result.out == "", "it prints although it fails")
  assert(result.err:find "^corebank%-auth: [^\n]+\n", result.err)
  return result.err
end

--- A file in their folder; its path.
---@param mode string? as chmod has it; 600 by default
function User:write(name, text, mode)
  local path = self.home .. "/" .. name
  os.remove(path)   -- it may be read-only
  files.write(path, text, mode or "600")
  return path
end

return command
