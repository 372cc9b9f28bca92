-- Calls the bank's API with the token that all jobs of this user share.
--
--   lua api.lua                         prints the accounts, page by page
--   lua api.lua FROM TO AMOUNT [KEY]    makes a transfer, once for each KEY. Without KEY the words
--                                       FROM, TO and AMOUNT are the key: a second transfer of the
--                                       same amount needs a KEY of its own
--
-- COREBANK_BASE_URL, COREBANK_CLIENT_ID and COREBANK_CLIENT_SECRET say where and as whom;
-- COREBANK_CA_FILE, if set, whom to trust.
local auth = require "corebank.auth"

local from, to, amount, key = arg[1], arg[2], tonumber(arg[3]), arg[4]
if from and not amount or #arg > 4 then
  io.stderr:write("usage: lua api.lua [FROM TO AMOUNT [KEY]]\n")
  os.exit(2)
end

local bank = auth.client{store = auth.store.file()}

-- The reply's JSON. bank:request has replaced a token that the API rejects, and sent again what
-- may be. Another answer than 2xx ends the script.
local function call(request)
  local reply, message = bank:request(request)
  if not reply then error(message, 0) end
  if not reply.ok then
    error(("the API answers %d: %s\ntoken of %s"):format(reply.status, reply.body,
      tostring(bank:explain())), 0)
  end
  return assert(reply:json())
end

local function print_accounts()
  local page, pages = 1, 1
  while page <= pages do
    local list = call{path = "/api/accounts/v1/accounts", query = {page = page}}
    for _, account in ipairs(list.accounts) do
      print(("%-4s %s %10.2f"):format(account.accountId, account.currency, account.balance))
    end
    page, pages = page + 1, list.pages
  end
end

-- A transfer is made once for each key, however often it is sent. A real key is the number of an
-- invoice, for example.
local function make_transfer()
  local transfer = call{
    method = "POST",
    path = "/api/payments/v1/transfers",
    headers = {["Idempotency-Key"] = key or ("example-%s-%s-%s"):format(from, to, arg[3])},
    json = {from = from, to = to, amount = amount},
  }
  print(("transfer %s: %s"):format(transfer.transferId, transfer.status))
end

local ok, fault = pcall(function()
  if from then make_transfer() else print_accounts() end
end)
bank:settle()   -- a refresh in flight would be lost
if not ok then
  io.stderr:write(tostring(fault), "\n")
  os.exit(1)
end
