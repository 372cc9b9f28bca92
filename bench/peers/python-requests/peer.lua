local here = ...

return {{
  title = "Python requests", kind = "Python",
  version = {here.python, "-c",
    "import sys, requests; print('Python', sys.version.split()[0], 'requests', requests.__version__)"},
  program = {here.python, here.folder .. "/with_requests.py"},
  modes = "start once warm memory",
}}
