--- Parses any command line with argparse, and reports mistakes in it.

local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"
local header_lines = require "corebank.auth.cli.header_lines"
local output = require "corebank.auth.cli.output"

local found, argparse = pcall(require, "argparse")
if not found then
  if argparse:find "interrupted!$" or argparse:find "not enough memory$" then error(argparse, 0) end
  local missing = argparse:find("module 'argparse' not found", 1, true)
  local why = missing and "is not installed for this Lua"
    or ("does not load in %s (%s)"):format(_VERSION, argparse:gsub("%s+", " "))
  exits.stop(exits.MACHINE, ("argparse, which reads the command line, %s: install Debian's package "
    .. "lua-argparse, or argparse by LuaRocks%s"):format(why,
    missing and "" or "; the release must be one for this Lua"))
end

if not argparse("corebank-auth"):option("-x").choices then
  exits.stop(exits.MACHINE, "argparse, which reads the command line, is older than 0.7: install "
    .. "argparse by LuaRocks")
end

local arguments = {}

-- Both end the command by an error that goes through argparse, which otherwise ends the process.
local function answer(text)
  output.print(text .. "\n")
  exits.stop(exits.SUCCESS)
end

local function refuse(message, command)
  exits.stop(exits.USAGE, ("%s\ncorebank-auth %s--help says more"):format(message,
    command and command .. " " or ""))
end

-- An unknown option or command may be a secret in the wrong place: the message repeats it only when
-- it looks like a word.
local function mistake(where, message)
  local plain = message:gsub("\nDid you mean .*$", "")
  local command = where._parent and where._name
  local kind, name = plain:match("^(unknown %a+) '(.*)'$")
  local is_word = kind and name:find("^%-%-?%l[%l%-]*$")
  if kind == "unknown option" then   -- argparse's own suggestion may be far off
    message = (is_word and plain or kind) .. flags.hint(name, command)
  elseif kind and not is_word and plain == message then
    message = kind .. "; there are " .. table.concat(flags.commands, ", ")
  end
  if command == "exec" and message == "too many arguments" then
    message = "exec takes its program after --: exec [OPTION...] -- PROGRAM [ARG...]"
  end
  refuse(message, command)
end

-- Takes a header. A file of headers is read later, when all flags are known: one says how it may be
-- read.
local function header_reader(flag)
  return function(result, _, line)
    if line:find "^@" then
      result.headerFiles = result.headerFiles or {}
      table.insert(result.headerFiles, {path = line:sub(2), flag = flag.flag, name = flag.name})
      return
    end
    result[flag.name] = result[flag.name] or {}
    local fault = header_lines.add(result[flag.name], line)
    if fault then refuse(flag.flag .. " " .. fault, flag.command) end
  end
end

local function append(result, name, text)
  result[name] = result[name] or {}
  table.insert(result[name], text)
end

local function declare_flag(parser, flag)
  local is_switch = flag.kind == "switch"
  local option = (is_switch and parser.flag or parser.option)(parser, flag.flag):target(flag.name)
    :description(flags.meaning(flag))
  if flag.short then option:hidden_name(flag.short) end
  if is_switch then return end
  option:argname(flags.argument(flag))
  if flag.kind == "headers" then
    return option:count("*"):init(nil):action(header_reader(flag))
  elseif flag.isList then
    return option:count("*"):init(nil):action(append)
  end
  option:convert(function(text) return flags.value(flag, text) end)
  if flag.choices then option:choices(flag.choices):default(flag.default):show_default(false) end
end

-- The flags of one command; with nil those of all commands, which may stand before the command,
-- too.
local function declare(parser, command)
  for _, flag in ipairs(flags.of(command)) do
    if flag.command == command then declare_flag(parser, flag) end
  end
end

-- Those that --help of a command shows with its own.
local function declare_common(parser, command)
  for _, flag in ipairs(flags.of(command)) do
    if not flag.command then declare_flag(parser, flag) end
  end
end

local function add_help_flag(parser, root)
  parser:add_help(false)
  parser:flag("-h --help"):description("shows this help"):action(function()
    if parser ~= root then declare_common(parser, parser._name) end
    answer(require "corebank.auth.cli.help".text(parser, root))
  end)
end

local function build()
  local parser = argparse("corebank-auth"):add_help(false)
  parser:command_target("command"):require_command(false)
  add_help_flag(parser, parser)
  parser:flag("--version"):description("shows the versions of this and its libraries")
    :action(function() answer(require "corebank.auth".version()) end)
  declare(parser)
  for _, name in ipairs(flags.commands) do
    local command = parser:command(name)
    add_help_flag(command, parser)
    declare(command, name)
    if name == "completion" then command:argument("shell"):choices(flags.shells) end
    if name == "request" then
      command:argument("PATH"):target("requestPath"):argname("PATH"):hidden(true)
    end
  end
  parser.error = mistake
  return parser
end

local NEVER = {clientsecret = true, secret = true, password = true, clientkeypassword = true,
  keypassword = true, passphrase = true}

-- Runs before any other message, which might repeat the secret from the rest of the line.
local function refuse_secrets(words)
  for _, word in ipairs(words) do
    local name = word:match("^%-%-([%w_%-]+)")
    if name and NEVER[name:lower():gsub("[_%-]", "")] then
      refuse("a secret is never taken from the command line, where every user of this machine can "
        .. "see it and the shell remembers it; set COREBANK_CLIENT_SECRET, or give --secret-file "
        .. "FILE (for a key's passphrase: --key-password-file FILE), or type it when asked")
    end
  end
end

-- Splits a line into our words and those of exec's program, which may look like flags.
local function split(words)
  local own, has_exec = {}, false
  for i, word in ipairs(words) do
    if word == "--" and has_exec then return own, flags.program(words, i) end
    own[i], has_exec = word, has_exec or word == "exec"
  end
  return own, {}
end

--- Reads the words of a command line. Ends the command on a mistake, and when they ask for a text:
-- help, the version, a completion.
---@param line string[]
---@return table # the command, and the values by the flags' names
function arguments.read(line)
  local words, program = split(line)
  refuse_secrets(words)
  local read = build():parse(words)
  if read.command == "exec" then
    read.program = program
  elseif program[1] then
    refuse("too many arguments", read.command)
  end
  local conflict = flags.conflict(read)
  if not read.command then
    refuse("a command is needed: " .. table.concat(flags.commands, ", "))
  elseif conflict then
    refuse(conflict, read.command)
  elseif read.command == "completion" then
    answer((require "corebank.auth.cli.completion"[read.shell]():gsub("\n$", "")))
  end
  read[read.command] = nil   -- argparse sets this, too
  return read
end

return arguments
