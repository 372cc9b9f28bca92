--- What --help says. Loaded when somebody asks.

local exits = require "corebank.auth.cli.exits"
local flags = require "corebank.auth.cli.flags"

local ABOUT = {
  token = "Prints the access token. It comes from the store while it is good, else from "
    .. "the bank. All else there is to say goes to the standard error.",
  exec = "Runs a program with a valid token in its environment, as COREBANK_ACCESS_TOKEN, "
    .. "COREBANK_TOKEN_TYPE and COREBANK_TOKEN_EXPIRES_AT, and without COREBANK_CLIENT_SECRET. The "
    .. "exit status is the program's. Without a token nothing is run.",
  explain = "Says which token is in the store, until when, and what went wrong last. Asks the "
    .. "bank for nothing. The exit status is 9 when there is no valid token.",
  forget = "Deletes what the store keeps for these credentials. The bank is not told.",
  doctor = "Checks one thing after the other, and says what to do about the first that fails. "
    .. "Asks the bank for a token, with --attempts tries, also after a denial.",
  completion = "Prints what a shell needs to complete this command's words.",
}

local USAGE = {
  completion = "completion " .. table.concat(flags.shells, "|") .. " [OPTION...]",
  exec = "exec [OPTION...] -- PROGRAM [ARG...]",
}

local EXAMPLES = {
  token = {
    "export COREBANK_BASE_URL=https://bank.example COREBANK_CLIENT_ID=my-client",
    "corebank-auth token --secret-file /etc/my-client.secret",
    "corebank-auth token --format header | curl -H @- https://bank.example/api/accounts",
    'eval "$(corebank-auth token --format env)" || exit',
    "corebank-auth token --format json | jq .expiresAt",
  },
  exec = {
    "corebank-auth exec --secret-file /etc/my-client.secret -- my-job --verbose",
    "corebank-auth exec -- sh -c 'echo \"ends at $COREBANK_TOKEN_EXPIRES_AT\"'",
  },
  explain = {
    "corebank-auth explain --secret-file /etc/my-client.secret",
    "corebank-auth explain --format json | jq .remaining",
  },
  forget = {"corebank-auth forget --secret-file /etc/my-client.secret"},
  doctor = {
    "corebank-auth doctor --secret-file /etc/my-client.secret",
    "corebank-auth doctor --base-url https://bank.example --client-id my-client --prompt",
    "corebank-auth doctor --show-answer",
  },
  completion = {
    'eval "$(corebank-auth completion bash)"',
    'eval "$(corebank-auth completion zsh)"',
    "corebank-auth completion fish > ~/.config/fish/completions/corebank-auth.fish",
  },
}

-- What stands beside a command's name, where that is not all.
local USED_WITH = {
  exec = "exec -- PROGRAM [ARG...]", completion = "completion " .. table.concat(flags.shells, "|"),
}

local function summary()
  local lines = {"Gets, keeps and shows the access token of a core-banking API.\n\nCommands:"}
  for _, name in ipairs(flags.commands) do
    lines[#lines + 1] = ("   %-26s %s"):format(USED_WITH[name] or name, flags.summaries[name])
  end
  lines[#lines + 1] = "   COMMAND --help             says more about a command"
  return table.concat(lines, "\n")
end

local ENVIRONMENT = [[
Environment:
   COREBANK_BASE_URL, COREBANK_CLIENT_ID, COREBANK_CLIENT_SECRET, COREBANK_CA_FILE
                              where no option says otherwise
   COREBANK_CLIENT_SECRET_FILE
                              the file that holds the client secret
   XDG_CACHE_HOME             where tokens are kept, in corebank-auth
   https_proxy, http_proxy, all_proxy, no_proxy
                              as libcurl reads them; all but http_proxy in capitals, too
   NO_COLOR                   no colours, on a terminal either]]

local function exit_statuses()
  local lines = {"Exit status:"}
  for _, entry in ipairs(exits.list) do
    lines[#lines + 1] = ("   %-4d %s"):format(entry[1], entry[2])
  end
  return table.concat(lines, "\n")
end

local function examples(list)
  return "Examples:\n   " .. table.concat(list, "\n   ")
end

local help = {}

--- The help for a parser: the whole command's, or one command's.
---@param parser table argparse's
---@param root table
---@return string
function help.text(parser, root)
  root:help_description_margin(30):help_max_width(80)
  for _, command in ipairs(root._commands) do command:hidden(true) end   -- the summary has them
  local name = parser ~= root and parser._name
  if name then
    parser:usage("Usage: corebank-auth " .. (USAGE[name] or name .. " [OPTION...]"))
    parser:description(ABOUT[name])
  else
    parser:usage("Usage: corebank-auth COMMAND [OPTION...]")
    parser:description(summary())
  end
  return table.concat({parser:get_help(), ENVIRONMENT, exit_statuses(),
    examples(EXAMPLES[name or "token"])}, "\n\n")
end

return help
