local here = ...

return {{
  title = "Go net/http", kind = "Go",
  prepare = "go",
  version = {"go", "version"},
  program = {here.out .. "/go-http"},
  modes = "start once warm memory",
}}
