--- What --help and the man page say about the commands, the environment and examples.
-- `script/man` makes the man page.

local flags = require "corebank.auth.cli.flags"

local about = {}

about.purpose = "Gets, keeps and shows the access token of a core-banking API."

--- What each command does, in full.
about.commands = {
  token = "Prints the access token. If the store has no valid token, gets one from the bank. "
    .. "All messages go to standard error.",
  request = "Sends a request to the bank's API, with a valid token, and prints the body of the "
    .. "answer. PATH comes after the base URL. A token that the API rejects is replaced once. What "
    .. "may have been done is not sent again: only GET, HEAD, PUT, DELETE, OPTIONS and requests "
    .. "with an Idempotency-Key. With --fail or --output the exit status tells what the API said.",
  exec = "Runs a program with a valid token in its environment, as COREBANK_ACCESS_TOKEN, "
    .. "COREBANK_TOKEN_TYPE and COREBANK_TOKEN_EXPIRES_AT, and without COREBANK_CLIENT_SECRET and "
    .. "COREBANK_REDIS_PASSWORD. The exit status is that of the program. Without a token the "
    .. "program is not started.",
  explain = "Shows the token in the store, how long it is valid, and the last problem. Does not "
    .. "ask the bank. The exit status is 9 when there is no valid token.",
  forget = "Deletes what the store keeps for these credentials. This does not revoke the token "
    .. "at the bank.",
  doctor = "Checks each step of getting a token. Stops at the first failure, and says what to "
    .. "do. Asks the bank for a token with --attempts tries, even after a denial.",
  completion = "Prints a script with which the shell completes the words of this command.",
}

-- What stands beside a command's name, where that is not only options.
local USAGE = {
  completion = "completion " .. table.concat(flags.shells, "|") .. " [OPTION...]",
  request = "request PATH [OPTION...]",
  exec = "exec [OPTION...] -- PROGRAM [ARG...]",
}

--- How a command is called.
---@param command string
---@return string
function about.usage(command)
  return "corebank-auth " .. (USAGE[command] or command .. " [OPTION...]")
end

about.examples = {
  token = {
    "export COREBANK_BASE_URL=https://bank.example COREBANK_CLIENT_ID=my-client",
    "corebank-auth token --secret-file /etc/my-client.secret",
    "corebank-auth token --format header | curl -H @- https://bank.example/api/accounts",
    'eval "$(corebank-auth token --format env)" || exit',
    "corebank-auth token --format json | jq .expiresAt",
  },
  request = {
    "corebank-auth request /api/accounts/v1/accounts --query page=2",
    "corebank-auth request /api/payments/v1/transfers --json to=2 --json amount:=19.90",
    "corebank-auth request /api/accounts/v1/accounts/1/statement --output statement.csv",
    "account=$(corebank-auth request --fail /api/accounts/v1/accounts/1) || exit",
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

--- The variables that the command reads, and what for.
about.environment = {
  {"COREBANK_BASE_URL, COREBANK_CLIENT_ID, COREBANK_CLIENT_SECRET",
    "the values of the options that are not given"},
  {"COREBANK_API_URL, COREBANK_CA_FILE", "likewise"},
  {"COREBANK_CLIENT_SECRET_FILE", "the file that contains the client secret"},
  {"COREBANK_REDIS_PASSWORD, COREBANK_REDIS_PASSWORD_FILE",
    "the password for --store, or the file with it"},
  {"XDG_CACHE_HOME", "tokens are kept in its folder corebank-auth"},
  {"https_proxy, http_proxy, all_proxy, no_proxy",
    "proxy settings; also in capitals, except http_proxy"},
  {"NO_COLOR", "switches colours off"},
}

return about
