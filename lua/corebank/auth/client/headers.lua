--- Decides which request headers of a client are part of an entry's name in a store. A header with
-- a tenant's name is. Headers that number or trace single requests are not.

local core = require "corebank.auth.core"

-- Headers that trace requests and that core.numbers_requests does not know by how their names end;
-- and how families of them begin.
local NUMBERING = {}
for name in ([[
  traceparent tracestate baggage x-cloud-trace-context grpc-trace-bin sentry-trace
  elastic-apm-traceparent newrelic b3 date x-date x-timestamp
]]):gmatch "%S+" do NUMBERING[name] = true end
local FAMILIES = {"^x%-b3%-", "^x%-datadog%-", "^x%-ot%-span%-", "^uberctx%-"}

local function only_numbers(name)
  if NUMBERING[name] then return true end
  for _, pattern in ipairs(FAMILIES) do
    if name:find(pattern) then return true end
  end
  return core.numbers_requests(name)
end

--- The headers that tell entries apart, as one text, whatever their order and the case of their
-- names. A value may be a key: the text is for a keyed hash, and for nothing else.
---@param lines string[]? `headerLines` of the settings
---@return string? # nil when there are none
return function(lines)
  local telling = {}
  for _, line in ipairs(lines or {}) do
    -- As check.header_table made it: "Name: value", or "Name;" for an empty value.
    local name, value = line:match "^([^:;]+)[:;]%s*(.-)%s*$"
    name = name:lower()
    if not only_numbers(name) then
      telling[#telling + 1] = ("%s:%d:%s"):format(name, #value, value)
    end
  end
  if #telling == 0 then return nil end
  table.sort(telling)
  return table.concat(telling, "\n")
end
