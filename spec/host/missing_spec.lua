-- An nginx whose Lua module comes without lua-resty-core.

local files = require "spec.support.files"

-- As if in nginx: a Lua whose path has none of nginx's modules.
local INSIDE = [[
  package.path = "lua/?.lua"
  ngx = {timer = {}, get_phase = function() return "init_worker" end}
  print(pcall(%s))
]]

local function said(code)
  return files.output_of(("%s -e %s"):format(os.getenv "CBA_LUA",
    files.quoted(INSIDE:format(code))))
end

describe("nginx without lua-resty-core", function()
  local NAMED = "^false%s+lua%-resty%-core is missing; on Debian 12 and later it is the package "
    .. "lua%-resty%-core, and OpenResty contains it\n$"

  it("leads to an error that names the package, from the gateway and from a client", function()
    assert.matches(NAMED, said [[require, "corebank.auth.nginx"]])
    assert.matches(NAMED, said [[function()
      require "corebank.auth".client{baseUrl = "https://bank.example", clientId = "my-client",
        clientSecret = "canary-secret"}
    end]])
  end)

  it("reports any other fault of lua-resty-core in its own words", function()
    local fault = said [[function()
      package.preload["ngx.semaphore"] = function()
        error("ngx_http_lua_module 0.10.22 required", 0)
      end
      require "corebank.auth.nginx"
    end]]
    assert.matches("ngx_http_lua_module 0.10.22 required", fault)
    assert.not_matches("package lua%-resty%-core", fault)
  end)
end)
