local here = ...

return {{
  title = "Node fetch", kind = "Node",
  prepare = "node",
  version = {"node", "--print", "`Node ${process.version} undici ${process.versions.undici}`"},
  program = {"node", here.out .. "/node-fetch/fetch.mjs"},
  modes = "start once warm memory get-warm get-memory",
}}
