--- Moves the pieces of large bodies: from the source to the transfer, and from the transfer to the
-- sink. A transfer has buffers of a limited size.

local PAUSE = 0.001   -- seconds; after an empty piece

-- A host awaits this in place of the transfer: it is done when the transfer is done, or when a
-- piece can be moved.
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

-- The next piece of the source, or nil at its end. An empty piece means that the source has nothing
-- at the moment: other tasks run meanwhile.
local function next_piece(pump)
  local piece = pump.source:piece()
  while piece == "" and pump.transfer:is_wanting() and not pump.client.isClosed do
    pump.host.sleep(PAUSE)
    pump.transfer:step()
    piece = pump.source:piece()
  end
  return piece
end

-- Gives the transfer as many pieces as it has room for. A piece is read only when the transfer can
-- take it: the source may take long, or never end.
local function feed(pump)
  local transfer = pump.transfer
  while transfer:is_wanting() and not pump.client.isClosed do
    local piece = pump.piece or next_piece(pump)
    if piece == nil then
      transfer:give(nil)
    else
      local given = pump.given + transfer:give(piece, pump.given)
      local isRest = given < #piece
      pump.piece, pump.given = isRest and piece or nil, isRest and given or 0
    end
  end
end

local function drain(pump)
  local piece = pump.transfer:take()
  while piece and not pump.client.isClosed do
    pump.sink:take(piece)
    piece = pump.transfer:take()
  end
end

---@class corebank.auth.Pump
---@field host table see host/scheduler.lua
---@field client {isClosed: boolean?}
---@field transfer table
---@field source table? see body.lua
---@field sink table? see into.lua
---@field piece string? the source's piece, of which the transfer has taken `given` bytes
---@field given integer

--- Returns when the transfer is done and all pieces are moved, or the client was closed.
---@param pump corebank.auth.Pump
return function(pump)
  local transfer, source, sink = pump.transfer, pump.source, pump.sink
  local ready = setmetatable({transfer = transfer}, Ready)
  repeat
    local isDone = transfer:is_done()   -- asked before the last pieces are moved
    if source then feed(pump) end
    if sink then drain(pump) end
    local isOver = isDone or pump.client.isClosed
    if not isOver then pump.host.await(ready) end
  until isOver
end
