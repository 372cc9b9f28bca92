--- What an operator can do about a bank that has a problem, in one or two sentences.

---@type table<corebank.auth.Code, string>
local BY_CODE = {
  resolve = "Check the host name in baseUrl, and the DNS of this machine.",
  connect = "Check host and port in baseUrl, and the firewall.",
  proxy = "Check the proxy that the message names, and the option or variable that sets it.",
  tls = "Check caFile, the host name in baseUrl and this machine's date. If the bank wants a "
    .. "client certificate, check clientCert and clientKey.",
  timeout = "Check whether the bank is reachable and answers in time. The call is repeated.",
  network = "Check the network between this machine and the bank. The call is repeated.",
  redirect = "If the target of the redirect is the bank, write it into baseUrl.",
  denied = "Check clientId and the client secret: the bank may have rotated or revoked the secret. "
    .. "Write the new secret into its file and reload nginx.",
  limited = "Find out who else asks the bank with these credentials. Let several hosts share a "
    .. "token by a store.",
  server = "Wait, or ask the bank. The call is repeated.",
  status = "Check baseUrl and path.",
  too_large = "Check baseUrl and path: the answer is not one of the bank's.",
  response = "Check baseUrl and path. If they are right, ask the bank.",
  expired = "Compare the clock of this machine with the bank's. Make leeway smaller if the message "
    .. "names it.",
  closed = "Reload nginx if the bank should still be used.",
}

local advice = {}

--- Advice on the last problem of a bank.
---@param code corebank.auth.Code
---@param isOver boolean whether the bank has given a token since
---@return string
function advice.about(code, isOver)
  return isOver and "Nothing: the bank has given a token since." or BY_CODE[code]
end

--- Advice on a bank that could not be set up.
---@param where string the line, or the plugin, that needs it
---@return string
function advice.about_setup(where)
  if where:find "^plugin " then
    return "Correct the configuration of the plugin, or the secret that it names. Until then its "
      .. "requests are answered 503; it is read again every 2 seconds."
  end
  return ("Correct the options at %s and reload nginx. Until then its requests are answered 503; "
    .. "setup is tried again every 2 seconds."):format(where)
end

--- Advice on a store that cannot be used.
advice.STORE = "Check the store. A full lua_shared_dict needs a larger size. Until then those "
  .. "that cannot use it fetch tokens of their own."

return advice
