--- The requests of a client to the API: one, and many in parallel.

local batch = require "corebank.auth.client.batch"
local call = require "corebank.auth.request.call"
local next_token = require "corebank.auth.client.next_token"
local read_options = require "corebank.auth.request.options"
local settings_of = require "corebank.auth.client.settings"
local suggest = require "corebank.auth.options.suggest"

local PAGE = "docs/requests.md"

local requests = {}

-- Returns a valid token. Waits for one until `deadline` on the boot clock.
local function valid_token(client, deadline)
  if client.before(client.freshUntil, client.freshUntilWall) then return client.current end
  return next_token.hand_out(client, deadline)
end

--- Reads a request's options, and opens its files. The caller must run and close the result.
---@param client corebank.auth.Client
---@param given corebank.auth.RequestOptions
---@return corebank.auth.RequestCall?
---@return string? mistake
function requests.new(client, given)
  local settings = settings_of[client]
  local request, mistake = read_options(given, settings)
  if not request then return nil, mistake end
  local made = call.new(request, settings, client, valid_token)
  mistake = made:open()
  if not mistake then return made end
  made:close()
  return nil, mistake
end

---@class corebank.auth.RequestResult
---@field reply corebank.auth.Reply? nil if there is a problem
---@field message string?
---@field problem corebank.auth.Problem?

-- The first mistake in a list of requests. Sends and opens nothing.
local function check_list(client, list)
  for i, element in ipairs(list) do
    local request, mistake = read_options(element, settings_of[client])
    if not request then return ("element %d: %s"):format(i, mistake) end
  end
end

--- Sends a list of requests, and waits for all of them.
---@param client corebank.auth.Client
---@param list corebank.auth.RequestOptions[]
---@param given {parallel: integer?, onProgress: fun(done: integer, total: integer)?}?
---@return corebank.auth.RequestResult[]? results in the list's order
---@return string? mistake
function requests.all(client, list, given)
  local own, others = batch.split_options(given or {})
  if not own then return nil, others end
  local unknown = next(others)
  if unknown ~= nil then return nil, suggest.mistake(unknown, batch.OPTIONS, PAGE) end
  local copy, mistake = batch.copy_list(list)
  mistake = mistake or check_list(client, copy)
  if mistake then return nil, mistake end
  local outcomes
  outcomes, mistake = batch.run{list = copy, parallel = own.parallel, onProgress = own.onProgress,
    host = client.host, work_for = function(element)
      local made, fault = requests.new(client, element)
      if not made then return nil, fault end
      return function() return made:run() end, function() made:close() end
    end}
  if not outcomes then return nil, mistake end
  return batch.results(outcomes, "reply")
end

return requests
