--- What a client does in the store when the API rejects its token. The store may have the next
-- token already: another process may have got it, and the bank may have revoked the old one for it.

local freshness = require "corebank.auth.client.freshness"
local next_token = require "corebank.auth.client.next_token"
local tell = require "corebank.auth.client.tell"

local LEAST_BETWEEN_LOOKS = 1   -- seconds, for rejections that do not count

local rejection = {}

-- Takes the store's token, unless a request for another one is in flight.
local function take(client, found)
  if not found or found.isRejected or not client.current or client.isClosed then return end
  if found.token.accessToken == client.current.accessToken then return end
  if client.flight and client.flight.hasAsked then return end
  local fault = next_token.give_up(client)
  if freshness.take(client, found) then tell(client, "found") end
  if fault then error(fault, 0) end
end

-- Reads the store by `read`, in a task if the store waits: the request in which the API rejected
-- the token may end before.
local function look(client, read)
  local shared = client.shared
  shared:report_anew()
  client.lookedAgainAt = client.system.boot()
  local function work() take(client, read(shared)) end
  if not shared.store.waits then return work() end
  client.lookTask = client.host.spawn(work)
end

local function is_looking(client)
  return client.lookTask ~= nil and not client.lookTask:is_done()
end

-- Waits for the look in flight, if there is one and code can wait here.
local function wait(client)
  if is_looking(client) and not client.host.may_wait() then client.lookTask:wait() end
end

--- Marks the current token in the store as rejected, or takes the store's token if it is another.
---@param client corebank.auth.Client
function rejection.share(client)
  if not client.shared then return end
  local token, at, rejections = client.current, client.lastRejection, client.rejections
  look(client, function(shared) return shared:reject(token, at, rejections) end)
  wait(client)
end

--- The current token was rejected, and this does not count, as another rejection has counted a
-- moment ago. Takes the store's token if it is another. Callers at the same time share one look.
---@param client corebank.auth.Client
function rejection.look_again(client)
  if not client.shared or client.isWithheld then return end   -- else callers wait for the next one
  local isDue = client.system.boot() >= client.lookedAgainAt + LEAST_BETWEEN_LOOKS
  if isDue and not is_looking(client) then
    look(client, function(shared) return (shared:look(true)) end)
  end
  wait(client)
end

return rejection
