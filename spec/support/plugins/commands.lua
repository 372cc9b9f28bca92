--- The commands that the harnesses of both gateways have, inside nginx: /admin/NAME?argument=value.

local cjson = require "cjson"

local commands = {}

--- Takes the configurations of the request's body, or says what is wrong.
---@param check fun(configurations: table[]): string? returns a mistake
function commands.configure(check)
  local text = ngx.req.get_body_data()
  local mistake = check(cjson.decode(text))
  if mistake then
    ngx.status = 400
    return mistake
  end
  ngx.shared.control:set("config", text)
  ngx.shared.control:incr("version", 1, 0)
end

--- Notes all headers of the request, as a plugin does that logs them. `others`: more text to note.
function commands.note_headers(others)
  local noted = (ngx.ctx.noted or "") .. cjson.encode(ngx.req.get_headers()) .. (others or "")
  ngx.ctx.noted = noted
  if ngx.get_phase() == "log" then ngx.shared.control:set("logged", noted) end
end

--- What runs a command of those here and of `own`, for the location.
---@param own table<string, function>
function commands.run(own)
  local shared = {
    vault = function(asked) ngx.shared.control:set(asked.reference, asked.value) end,
    logged = function() return ngx.shared.control:get "logged" end,
    banks = function() return #require "corebank.auth.gateway.clients".each() end,
    memory = function()
      collectgarbage() collectgarbage()
      return collectgarbage "count"
    end,
  }
  return function()
    ngx.req.read_body()
    local name = ngx.var.uri:match "^/admin/(%w+)"
    ngx.print((own[name] or shared[name])(ngx.req.get_uri_args()) or "ok")
  end
end

return commands
