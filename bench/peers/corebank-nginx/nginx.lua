-- cold COUNT: light threads of one worker that want a token at the same moment, when there is none.

local gateway = require "spec.support.gateway"
local sandbox = require "spec.sandbox"

local SERVER = [[
  location /cold { content_by_lua_block {
    local auth, now = require "corebank.auth", require "corebank.auth.core".boot
    local bank = auth.client%s
    local threads, wanted = {}, tonumber(ngx.var.arg_count)
    local wall, cpu = now(), os.clock()
    for i = 1, wanted do
      threads[i] = ngx.thread.spawn(function() return assert(bank:token()) end)
    end
    for i = 1, wanted do assert(ngx.thread.wait(threads[i])) end
    ngx.print(("%%.9f %%.9f"):format(now() - wall, os.clock() - cpu))
  } }
]]

assert(arg[1] == "cold", "usage: nginx.lua cold COUNT")
local gate = gateway.start{no_setup = true,
  server = SERVER:format(sandbox.literal(gateway.options{}))}
local status, _, text = gate:get("/cold?count=" .. tonumber(arg[2]))
gate:stop()
assert(status == 200, text)
print(text)
