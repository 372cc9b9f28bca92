local here = ...

return {{
  title = "Go x/oauth2", kind = "Go",
  prepare = "go",
  version = {"dpkg-query", "--show", "--showformat", "${Package} ${Version}",
    "golang-golang-x-oauth2-dev"},
  program = {here.out .. "/go-oauth2"},
  modes = "start once warm memory kept cold clients get-warm get-memory",
}}
