local here = ...

local folder = here.out .. "/node-simple-oauth2"

return {{
  title = "Node simple-oauth2", kind = "Node",
  prepare = "node",
  version = {"node", "--print", ("'simple-oauth2 ' + require('%s/node_modules/simple-oauth2/"
    .. "package.json').version"):format(folder)},
  program = {"node", folder .. "/simple-oauth2.mjs"},
  modes = "start once warm memory kept cold clients",
  note = "connects each time",
}}
