-- S25: the completion of each shell, evaluated or as a file, in that shell on a terminal.

local command = require "spec.support.command"
local files = require "spec.support.files"

local quoted = files.quoted
local home

setup(function()
  home = files.new_folder()
  files.write(home .. "/corebank-auth", "#!/bin/sh\nprintf 'given'; printf '<%s>' \"$@\"; echo\n")
  os.execute("chmod +x " .. home .. "/corebank-auth")
  os.execute(("cd %s && mkdir -p 'a folder/inner' functions && touch garbage.pem"):format(home))
  for _, shell in ipairs{"bash", "zsh", "fish"} do
    local line = command.line({HOME = home}, {"completion", shell})
    os.execute(("%s >%s/completion.%s"):format(line, home, shell))
  end
  os.execute(("cp %s/completion.zsh %s/functions/_corebank-auth"):format(home, home))
end)
teardown(function() os.execute("rm -rf " .. quoted(home)) end)

-- How each shell is started, what it evaluates then, and what shows that it is ready.
local SHELLS = {
  bash = {start = "bash --noprofile --rcfile %s -i",
    rc = 'PS1="ready> "; eval "$(cat completion.bash)"'},
  zsh = {start = "cp %s .zshrc; ZDOTDIR=$PWD zsh -d -i",
    rc = 'PS1="ready> "; eval "$(cat completion.zsh)"'},
  fish = {start = "fish --no-config -i -C 'source %s'",
    rc = "function fish_prompt; echo 'ready> '; end; cat completion.fish | source"},
}

-- What the command was given in a shell in which these lines were typed, and all that was shown.
local function given(shell, lines, rc)
  files.write(home .. "/rc", rc or SHELLS[shell].rc)
  local line = ("cd %s; export PATH=%s:$PATH TERM=xterm HOME=%s; %s"):format(home, home, home,
    SHELLS[shell].start:format("rc"))
  local keys = table.concat(lines, "\\r") .. "\\rexit\\r"
  local shown, found = command.on_terminal(home, line, keys, "ready> "), {}
  for words in shown:gmatch("given(<[^\r\n]*>)") do found[#found + 1] = words end
  return found, shown
end

-- Types the first of each pair in every shell, and looks for the second.
local function completes(pairs_of)
  local lines = {}
  for i, pair in ipairs(pairs_of) do lines[i] = "corebank-auth " .. pair[1] end
  for shell in pairs(SHELLS) do
    local found, shown = given(shell, lines)
    for i, pair in ipairs(pairs_of) do
      -- zsh puts an = after a flag that takes a value, and no / after a folder at the end.
      local words = found[i] and found[i]:gsub("(<%-%-[%w-]+)=", "%1><"):gsub("/>", ">")
      assert.equal(pair[2], words, shell .. ": " .. shown)
    end
  end
end

describe("S25: completion in bash, zsh and fish #slow", function()
  it("knows the commands, their flags, and the values of these, after = as well", function()
    completes{
      {"exp\\t--fo\\tj\\t", "<explain><--format><json>"},
      {"comp\\tfi\\t", "<completion><fish>"},
      {"--min-t\\t1.3 doc\\t--sh\\t", "<--min-tls><1.3><doctor><--show-answer>"},
      {"--client-id token exp\\t", "<--client-id><token><explain>"},
      {"token --format=he\\t", "<token><--format><header>"},
    }
  end)

  it("gives files where a file is needed, folders where a folder is, and else neither", function()
    completes{
      {"token --ca-file gar\\t--no-st\\t", "<token><--ca-file><garbage.pem><--no-store>"},
      {"token --store-dir a\\tinn\\t", "<token><--store-dir><a folder/inner>"},
      {"token --store-dir gar\\t", "<token><--store-dir><gar>"},
      {"token --timeout gar\\t", "<token><--timeout><gar>"},
      {"token gar\\t", "<token><gar>"},
      {"forget --show-a\\t", "<forget><--show-a>"},
    }
  end)

  it("completes the program of exec, and its arguments", function()
    completes{{"exec --no-st\\t-- sha256su\\tgarb\\t",
      "<exec><--no-store><--><sha256sum><garbage.pem>"}}
  end)

  it("in zsh needs no compinit, works after one, and as a file in fpath", function()
    local compinit = "autoload -Uz compinit; compinit -u; "
    local autoload = "fpath=($PWD/functions $fpath); " .. compinit .. 'PS1="ready> "'
    local after = compinit .. SHELLS.zsh.rc
    for _, rc in ipairs{SHELLS.zsh.rc, after, autoload} do
      local found, shown = given("zsh", {"corebank-auth exp\\t--fo\\tj\\t"}, rc)
      assert.equal("<explain><--format=json>", found[1], shown)
    end
  end)

  it("says nothing when it is evaluated", function()
    for shell, words in pairs{bash = "bash", zsh = "zsh -f", fish = "fish --no-config"} do
      local script = ("%s/completion.%s"):format(home, shell)
      local result = command.run(home, ("%s -c '. %s'"):format(words, script))
      assert.equal(0, result.status)
      assert.equal("", result.out .. result.err, shell)
    end
  end)
end)
