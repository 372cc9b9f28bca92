--- Counts an event of a client, and calls its `onEvent`.
---@param client corebank.auth.Client
---@param name string
---@param fields table? of the event; it is changed
return function(client, name, fields)
  client.counters[name] = (client.counters[name] or 0) + 1
  if not client.onEvent then return end
  local event = fields or {}
  event.name, event.client = name, client.name
  client.onEvent(event)
end
