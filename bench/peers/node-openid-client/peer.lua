-- Node 18 has no `crypto` among its globals, which this needs: there it is left out.
local here = ...

local folder = here.out .. "/node-openid-client"

return {{
  title = "Node openid-client", kind = "Node",
  prepare = "node",
  version = {"node", "--print", ("globalThis.crypto.subtle && 'openid-client ' + "
    .. "require('%s/node_modules/openid-client/package.json').version"):format(folder)},
  program = {"node", folder .. "/openid-client.mjs"},
  modes = "start once warm memory kept cold clients",
}}
