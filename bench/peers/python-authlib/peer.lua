local here = ...

return {{
  title = "Python authlib", kind = "Python",
  version = {here.python, "-c", "import requests, authlib; print('authlib', authlib.__version__)"},
  program = {here.python, here.folder .. "/with_authlib.py"},
  modes = "start once warm memory kept cold clients get-warm get-memory",
}}
