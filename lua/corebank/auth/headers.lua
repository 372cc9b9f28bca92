--- Which of a client's request headers say what its token is for, such as a tenant's name, and so
-- tell entries of a store apart. Those that only number or trace requests do not.

-- In small letters. A pattern where a family of names has one beginning.
local NUMBERING = {}
for name in ([[
  request-id x-request-id x-requestid x-client-request-id x-ms-client-request-id x-ms-request-id
  correlation-id x-correlation-id x-correlationid x-ms-correlation-id x-message-id
  x-transaction-id x-interaction-id x-fapi-interaction-id
  idempotency-key x-idempotency-key
  traceparent tracestate baggage trace-id x-trace-id x-amzn-trace-id x-amzn-requestid
  x-cloud-trace-context grpc-trace-bin uber-trace-id sentry-trace elastic-apm-traceparent newrelic
  b3 date x-date x-timestamp
]]):gmatch "%S+" do NUMBERING[name] = true end
local NUMBERING_FAMILIES = {"^x%-b3%-", "^x%-datadog%-", "^x%-ot%-span%-", "^uberctx%-"}

local function only_numbers(name)
  if NUMBERING[name] then return true end
  for _, pattern in ipairs(NUMBERING_FAMILIES) do
    if name:find(pattern) then return true end
  end
  return false
end

-- One line as check.header_table made it: "Name: value", or "Name;" for an empty value.
local function parts_of(line)
  local name, value = line:match "^([^:;]+)[:;]%s*(.-)%s*$"
  return name:lower(), value
end

--- The headers that tell entries apart, as one text, whatever their order and the case of their
-- names. A value may be a key: the text is for a keyed hash, and for nothing else.
---@param lines string[]? `headerLines` of the settings
---@return string? # nil when there are none
return function(lines)
  local telling = {}
  for _, line in ipairs(lines or {}) do
    local name, value = parts_of(line)
    if not only_numbers(name) then
      telling[#telling + 1] = ("%s:%d:%s"):format(name, #value, value)
    end
  end
  if #telling == 0 then return nil end
  table.sort(telling)
  return table.concat(telling, "\n")
end
