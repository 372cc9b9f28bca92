--- The API behind the gateway, inside the gateway's own nginx. It checks the Authorization of each
-- request, and counts.
--
-- Its answer to a good token: /?status=404 has this status, /?accel=/x has X-Accel-Redirect,
-- /?grpc=16 has grpc-status, /?echo=1 has the request's method and body. A token may also come raw,
-- in X-Token.
--
-- The dict `seen` has these counters and switches:
--   good, bad       requests with a good token, and all others
--   bare            bad requests without any token
--   own             requests with the client's own Authorization
--   tokens          different tokens
--   first:TOKEN     when a token came for the first time
--   late            requests with a token that came first more than `lifetime` seconds before
--   reject          a switch: all requests are answered 401
--   revoked         so many of the tokens, in the order in which they came, are answered 401

local upstream = {}

local seen = ngx.shared.seen

local function note(token, lifetime)
  local now = ngx.now()
  local first = seen:get("first:" .. token)
  if not first then
    if seen:add("first:" .. token, now) then
      seen:set("number:" .. token, (seen:incr("tokens", 1, 0)))
    end
  elseif lifetime and now - first > lifetime then
    seen:incr("late", 1, 0)
  end
end

local function is_revoked(token)
  return (seen:get("number:" .. token) or 0) <= (seen:get("revoked") or 0)
end

local function answer_as_asked()
  local asked = ngx.req.get_uri_args()
  if asked.accel then ngx.header["X-Accel-Redirect"] = asked.accel end
  if asked.grpc then ngx.header["grpc-status"] = asked.grpc end
  if asked.status then return ngx.exit(tonumber(asked.status)) end
  if not asked.echo then return ngx.print("ok") end
  ngx.req.read_body()
  ngx.print(ngx.req.get_method(), " ", ngx.req.get_body_data())
end

--- Answers 200 to one good Authorization header, 401 to anything else.
---@param lifetime number? seconds for which a token is good after it came first
function upstream.answer(lifetime)
  local headers = ngx.req.get_headers()
  local given = headers["Authorization"] or headers["X-Token"]
  local token = type(given) == "string" and (" " .. given):match(" (canary%-token%-[%w-]+)$")
  if token then note(token, lifetime) end
  seen:incr(token and "good" or "bad", 1, 0)
  if not given then seen:incr("bare", 1, 0) end
  if tostring(headers["Authorization"]):find("of%-the%-client") then seen:incr("own", 1, 0) end
  if not token or is_revoked(token) or seen:get("reject") then
    return ngx.exit(ngx.HTTP_UNAUTHORIZED)
  end
  answer_as_asked()
end

--- Takes an upgrade, and sends the Authorization it came with.
function upstream.upgrade()
  local raw = assert(ngx.req.socket(true))
  raw:send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    .. (ngx.var.http_authorization or "none") .. "\n")
end

--- Another server, which must never see the bank's token: in no header, and not in the URL. Counts
-- what came ("spare"), with the token ("leaks") and with what is the client's own ("passed").
function upstream.other()
  seen:incr("spare", 1, 0)
  local all = ngx.req.raw_header()
  if all:find("canary%-token") then seen:incr("leaks", 1, 0) end
  if all:find("of%-the%-client") then seen:incr("passed", 1, 0) end
  ngx.print("other")
end

--- GET /count/NAME answers with a count; GET /set/NAME/1 or 0 turns a switch; GET /set/revoke/1
-- revokes all tokens that have come.
function upstream.administer()
  local name, value = ngx.var.uri:match("^/set/(%w+)/(%d)$")
  if name == "revoke" then
    seen:set("revoked", seen:get("tokens"))
    return ngx.print("ok")
  end
  if name then
    seen:set(name, value == "1" or nil)
    return ngx.print("ok")
  end
  ngx.print(seen:get(ngx.var.uri:match("^/count/(%w+)$") or "") or 0)
end

return upstream
