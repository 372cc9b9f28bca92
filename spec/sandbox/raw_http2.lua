--- Actions of a raw server that speaks HTTP/2, for what nginx never does. After {"starttls",
-- alpn = "h2"} a script may have:
--
--   h2_open               reads the client's preface, sends settings
--   h2_read               a whole request; it counts as a POST in PREFIX.counts
--   h2_answer BODY        answers the request that was read last with 200 and these bytes
--   h2_reset CODE         RST_STREAM for it: 7 is REFUSED_STREAM, 2 INTERNAL_ERROR
--   h2_goaway LAST        GOAWAY: streams above LAST were not looked at
--
-- raw.lua has the other actions. Only the frames that a client must send are understood; a body is
-- not larger than the first window, 64 KiB.

local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
local END_STREAM, END_HEADERS, ACK = 1, 4, 1

-- A number in so many bytes, the most significant first.
local function big_endian(number, bytes)
  local list = {}
  for i = bytes, 1, -1 do
    list[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(list)
end

local function number_of(bytes)
  local number = 0
  for i = 1, #bytes do
    number = number * 256 + bytes:byte(i)
  end
  return number
end

local function frame(kind, flags, stream, payload)
  return big_endian(#payload, 3) .. string.char(kind, flags) .. big_endian(stream, 4) .. payload
end

local function send(peer, ...)
  return peer.socket:write(frame(...)) and true or false
end

--- Adds the actions. `take(peer, length)` reads so many bytes, nil at the end of the connection;
-- `count()` counts a request.
return function(actions, take, count)
  function actions.h2_open(peer)
    return take(peer, #PREFACE) == PREFACE and send(peer, SETTINGS, 0, 0, "")
  end

  function actions.h2_read(peer)
    repeat
      local head = take(peer, 9)
      local payload = head and take(peer, number_of(head:sub(1, 3)))
      if not payload then
        return false
      end
      local kind, flags = head:byte(4, 5)
      local stream = number_of(head:sub(6, 9))
      if (kind == SETTINGS or kind == PING) and flags % 2 == 0 then
        send(peer, kind, ACK, 0, kind == PING and payload or "")
      end
      local is_request = kind == HEADERS or kind == DATA
    until is_request and flags % 2 == END_STREAM and stream > (peer.stream or 0)
      and rawset(peer, "stream", stream)
    count()
  end

  -- ":status: 200" is number 8 of HPACK's static table.
  function actions.h2_answer(peer, action)
    return send(peer, HEADERS, END_HEADERS, peer.stream, "\136")
      and send(peer, DATA, END_STREAM, peer.stream, action[2])
  end

  function actions.h2_reset(peer, action)
    return send(peer, RST_STREAM, 0, peer.stream, big_endian(action[2], 4))
  end

  function actions.h2_goaway(peer, action)
    return send(peer, GOAWAY, 0, 0, big_endian(action[2], 4) .. big_endian(0, 4))
  end
end
