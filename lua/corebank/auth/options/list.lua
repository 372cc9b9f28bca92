--- The list of all options: name, check, default, environment variable and meaning of each. They
-- are read in the order of this list.

local api_url = require "corebank.auth.options.api_url"
local check = require "corebank.auth.options.check"

---@class corebank.auth.Options
---@field baseUrl string? `https://…`, may carry a path prefix; else from COREBANK_BASE_URL
---@field path string? default "/api/auth/v1/authenticate"
---@field clientId string? 1..100 characters of UTF-8; else from COREBANK_CLIENT_ID
---@field clientSecret string|corebank.auth.Secret? likewise; else from COREBANK_CLIENT_SECRET,
--- or from the file that COREBANK_CLIENT_SECRET_FILE names
---@field timeout number? seconds for the whole call, retries included; default 10
---@field connectTimeout number? seconds for one connection; default 3
---@field attempts integer? tries within `timeout`; default 3
---@field caFile string? PEM file of all that is trusted; else from COREBANK_CA_FILE, or libcurl's
---@field caPath string? folder of all that is trusted; default: libcurl's own
---@field clientCert string? file for mutual TLS: PEM, DER or PKCS#12, by its content
---@field clientKey string? PEM or DER file; default: in clientCert
---@field clientKeyPassword string|corebank.auth.Secret?
---@field pinnedKey string? `sha256//…;sha256//…`, with a backup
---@field minTls "1.2"|"1.3"? default "1.2"
---@field proxy string? default: the environment's; "" means none
---@field proxyCaFile string? PEM file of all that is trusted for an https proxy
---@field noProxy string? hosts that are reached directly; default: the environment's
---@field allowPlaintext boolean? lets `http://` leave this machine, the secret readable on the way
---@field headers table<string, string>? extra request headers
---@field onEvent fun(event: table)? told what happens; never a secret

---@class corebank.auth.ClientOptions: corebank.auth.Options
---@field apiUrl string? what the paths of requests are appended to; else from COREBANK_API_URL, or
--- baseUrl
---@field store corebank.auth.Store? where tokens are shared; default: this client's memory
---@field leeway number? seconds; a token with less left is never handed out
---@field refreshAhead number? seconds before its end; default 20 % of its life, at most 300

local LONGEST_LIFETIME = 7 * 86400   -- seconds

---@class corebank.auth.Option
---@field name string
---@field check fun(value: any): any, string? the value to keep; or nil and what it must be
---@field kind string what a value is, in the words of a command's --help
---@field meaning string what it is for
---@field default any
---@field env string? the variable that stands in for it
---@field secretEnv string? the same, of a secret
---@field secretFileEnv string? the variable with the path of a file that holds the secret
---@field required boolean?
---@field clientOnly boolean? it is for a client, and not for a single call
---@field as string? the name of the setting, where that is another one

---@type corebank.auth.Option[]
return {
  {name = "baseUrl", check = check.text, env = "COREBANK_BASE_URL", required = true,
    kind = "URL", meaning = "the bank's base URL, https://…"},
  {name = "path", check = check.url_path, default = api_url.DEFAULT_PATH,
    kind = "PATH", meaning = "path of the endpoint, after the base URL"},
  {name = "clientId", check = check.credential, env = "COREBANK_CLIENT_ID", required = true,
    kind = "ID", meaning = "the client id"},
  {name = "clientSecret", check = check.secret, secretEnv = "COREBANK_CLIENT_SECRET",
    secretFileEnv = "COREBANK_CLIENT_SECRET_FILE", required = true,
    kind = "secret", meaning = "the client secret"},
  {name = "timeout", check = check.timeout, default = 10,
    kind = "SECONDS", meaning = "limit of the whole call, with retries"},
  {name = "connectTimeout", check = check.timeout, default = 3,
    kind = "SECONDS", meaning = "limit of connecting, with TLS"},
  {name = "attempts", check = check.attempts, default = 3,
    kind = "COUNT", meaning = "tries within the timeout"},
  {name = "caFile", check = check.text, env = "COREBANK_CA_FILE",
    kind = "FILE", meaning = "certificate authorities to trust, PEM"},
  {name = "caPath", check = check.text,
    kind = "FOLDER", meaning = "the same in a folder, with hashed names"},
  {name = "clientCert", check = check.text,
    kind = "FILE", meaning = "certificate for mutual TLS: PEM, DER or PKCS#12"},
  {name = "clientKey", check = check.text,
    kind = "FILE", meaning = "key of that certificate, if it is in another file"},
  {name = "clientKeyPassword", check = check.secret_of_any_length,
    kind = "secret", meaning = "passphrase of that key"},
  {name = "pinnedKey", check = check.pin_list,
    kind = "PINS", meaning = "sha256//…;sha256//…: the only server keys to trust"},
  {name = "minTls", check = check.tls_version, default = "1.2",
    kind = "VERSION", meaning = "lowest TLS version, 1.2 or 1.3"},
  {name = "proxy", check = check.proxy_url,
    kind = "URL", meaning = "the proxy to use; an empty one means none"},
  {name = "proxyCaFile", check = check.text,
    kind = "FILE", meaning = "authorities to trust for an https:// proxy, PEM"},
  {name = "noProxy", check = check.host_list,
    kind = "HOSTS", meaning = "hosts to reach without the proxy"},
  {name = "allowPlaintext", check = check.boolean, default = false,
    kind = "switch", meaning = "allows http:// to other machines, with the secret unencrypted"},
  {name = "headers", check = check.header_table, as = "headerLines",
    kind = "headers", meaning = "adds a request header; @FILE: all headers in a file"},
  {name = "onEvent", check = check.callable,
    kind = "function", meaning = "called with each event"},
  {name = "apiUrl", check = check.text, env = "COREBANK_API_URL", clientOnly = true,
    kind = "URL", meaning = "the API's base URL, if it is not the bank's"},
  {name = "store", check = check.store, clientOnly = true,
    kind = "store", meaning = "where tokens are shared"},
  {name = "leeway", check = check.number(0, LONGEST_LIFETIME), clientOnly = true,
    kind = "SECONDS", meaning = "a token with less time left is not used"},
  {name = "refreshAhead", check = check.number(0, LONGEST_LIFETIME), clientOnly = true,
    kind = "SECONDS", meaning = "how long before its end a token is refreshed"},
}
