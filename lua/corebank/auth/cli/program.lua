--- Runs a program with a token in its environment, and without the secrets that are in ours.

local core = require "corebank.auth.core"
local exits = require "corebank.auth.cli.exits"
local formats = require "corebank.auth.cli.formats"
local options = require "corebank.auth.options.list"

--- This process becomes the program. Ends the command when it cannot.
---@param words string[] the program and its arguments
---@param token corebank.auth.Token
return function(words, token)
  for _, option in ipairs(options) do
    if option.secretEnv then core.setenv(option.secretEnv, nil) end
  end
  for _, variable in ipairs(formats.variables(token)) do core.setenv(variable[1], variable[2]) end
  core.end_engine()
  local _, reason, is_missing = core.exec(words)
  local name = words[1]:find "^[%w_./+-]+$" and words[1] or "the program that exec was given"
  exits.stop(is_missing and exits.NOT_FOUND or exits.NOT_RUN,
    ("cannot run %s: %s"):format(name, reason))
end
