local here = ...

return {{
  title = "Python requests", kind = "Python",
  version = {here.python, "-c", "import platform, requests; "
    .. "print('Python', platform.python_version(), 'requests', requests.__version__)"},
  program = {here.python, here.folder .. "/with_requests.py"},
  modes = "start once warm memory",
}}
