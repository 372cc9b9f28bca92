--- Moves the pieces of large bodies between a transfer, which has buffers of a limited size, and
-- what reads or takes the pieces.

local PAUSE = 0.001   -- seconds; after an empty piece

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

-- The next piece of the source, or nil at its end. An empty one says that there is nothing at the
-- moment: others run meanwhile.
local function next_piece(pump)
  local piece = pump.source:piece()
  while piece == "" and pump.transfer:is_wanting() and not pump.client.isClosed do
    pump.host.sleep(PAUSE)
    pump.transfer:step()
    piece = pump.source:piece()
  end
  return piece
end

-- Gives what the transfer has room for. Nothing is read before it can be sent, or when nobody wants
-- it any more: the source may take long, or never end.
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
---@field piece string? of the source, of which `given` bytes were given to the transfer
---@field given integer

--- Returns when the transfer is done and all pieces are moved, or the client was closed.
---@param pump corebank.auth.Pump
return function(pump)
  local transfer, source, sink = pump.transfer, pump.source, pump.sink
  local ready = setmetatable({transfer = transfer}, Ready)
  repeat
    local isDone = transfer:is_done()   -- before what is left in the buffer is taken
    if source then feed(pump) end
    if sink then drain(pump) end
    local isOver = isDone or pump.client.isClosed
    if not isOver then pump.host.await(ready) end
  until isOver
end
