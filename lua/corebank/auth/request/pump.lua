--- Moves the pieces of large bodies between a transfer, which has buffers of a limited size, and
-- what reads or takes the pieces.

-- What a host waits for as for a transfer: that it is done, or that a piece can be moved.
local Ready = {}
Ready.__index = Ready

function Ready:is_done() return self.transfer:is_done() or self.transfer:is_ready() end

function Ready:step()
  self.transfer:step()
  return self:is_done()
end

function Ready:wait(seconds)
  self.transfer:wait(seconds)
  return self:is_done()
end

-- Gives what the transfer has room for.
local function feed(pump)
  while not pump.hasEnded do
    local piece = pump.rest or pump.source:piece()
    if piece == nil then
      pump.hasEnded = true
      pump.transfer:give(nil)
    else
      local taken = pump.transfer:give(piece)
      pump.rest = taken < #piece and piece:sub(taken + 1) or nil
      if pump.rest then return end
    end
  end
end

local function drain(pump)
  while true do
    local piece = pump.transfer:take()
    if piece == nil then return end
    pump.sink:take(piece)
  end
end

--- Returns when the transfer is done and all pieces are moved.
---@param host table see host/scheduler.lua
---@param transfer table
---@param source table? see body.lua
---@param sink table? see into.lua
return function(host, transfer, source, sink)
  local pump = {transfer = transfer, source = source, sink = sink}
  local ready = setmetatable({transfer = transfer}, Ready)
  repeat
    local isDone = transfer:is_done()   -- before what is left in the buffer is taken
    if source and not isDone then feed(pump) end
    if sink then drain(pump) end
    if not isDone then host.await(ready) end
  until isDone
end
