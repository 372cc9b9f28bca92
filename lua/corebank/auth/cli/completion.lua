--- Scripts with which a shell completes the words of the command. The user evaluates a script, or
-- puts it into the shell's folder of completions.

local flags = require "corebank.auth.cli.flags"

local VALUES = {VERSION = "1.2 1.3"}   -- by a flag's kind
local SHELLS = table.concat(flags.shells, " ")

-- The words that a flag takes, if only certain ones.
local function values_of(flag)
  return flag.choices and table.concat(flag.choices, " ") or VALUES[flag.kind]
end

local function takes_value(flag)
  return flag.kind ~= "switch"
end

-- Joins what `text_of` returns for the elements of a list, each text once.
local function each(list, separator, text_of)
  local texts, seen = {}, {}
  for _, item in ipairs(list) do
    local text = text_of(item)
    if text and not seen[text] then texts[#texts + 1], seen[text] = text, true end
  end
  return table.concat(texts, separator)
end

-- The flags for which `wanted` returns true.
local function names(separator, wanted)
  return each(flags.list, separator, function(flag) return wanted(flag) and flag.flag end)
end

-- The flags that take a value, as a user may write them.
local function valued(separator)
  return names(separator, takes_value) .. each(flags.list, "", function(flag)
    return flag.short and takes_value(flag) and separator .. flag.short
  end)
end

local function of(field, value)
  return function(flag) return flag[field] == value end
end

local function filled(template, fills)
  return (template:gsub("@(%u+)@", fills))
end

local completion = {}

-- ---- bash --------------------------------------------------------------------------------------

local BASH = [==[
# Completion of corebank-auth for bash.
_corebank-auth() {
  local IFS=$' \t\n' i word words= command= program= previous= skip= kind=
  local current=${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [ "$word" = = ]; then continue; fi
    if [ -n "$skip" ]; then skip= previous=; continue; fi
    if [ "$command $word" = 'exec --' ]; then program=$((i + 1)); break; fi
    previous=$word
    case $word in
      @VALUED@) skip=yes ;;
      @COMMANDS@) command=${command:-$word} ;;
    esac
  done
  if [ "$current" = = ]; then current=; fi
  COMPREPLY=()
  if [ "$program" = "$COMP_CWORD" ]; then
    kind=-c
  elif [ -n "$program" ]; then
    kind=-f
  elif [ -n "$skip" ]; then
    case $command:$previous in
@CHOICES@
      *:@FILES@) kind=-f ;;
      *:@FOLDERS@) kind=-d ;;
    esac
  else
    case $command in
@OWN@
      '') words='@NAMES@ --version' ;;
    esac
    words="$words @COMMON@ -h --help"
  fi
  if [ -z "$kind" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  if [ "$kind" != -c ]; then compopt -o filenames 2>/dev/null; fi
  IFS=$'\n'
  COMPREPLY=($(compgen "$kind" -- "$current"))
}
complete -F _corebank-auth corebank-auth
]==]

local CHOICE = "      %s:%s) words='%s' ;;"

function completion.bash()
  return filled(BASH, {
    VALUED = valued("|"), COMMON = names(" ", of("command", nil)),
    FILES = names("|*:", of("kind", "FILE")), FOLDERS = names("|*:", of("kind", "FOLDER")),
    COMMANDS = table.concat(flags.commands, "|"), NAMES = table.concat(flags.commands, " "),
    CHOICES = each(flags.list, "\n", function(flag)
      local values = values_of(flag)
      return values and CHOICE:format(flag.command or "*", flag.flag, values)
    end),
    OWN = each(flags.commands, "\n", function(command)
      local own = command == "completion" and SHELLS or names(" ", of("command", command))
      return ("      %s) words='%s%s' ;;"):format(command, own, command == "exec" and " --" or "")
    end),
  })
end

-- ---- zsh ---------------------------------------------------------------------------------------

local ZSH = [==[
#compdef corebank-auth
# Completion of corebank-auth for zsh: to be evaluated, or as _corebank-auth in a folder of $fpath.
_corebank-auth() {
  local curcontext="$curcontext" command word
  local -a specs
  local -i i program=0
  local -A opt_args
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $command:$word in
      (exec:--) program=i; break ;;
      (*:(@VALUED@)) ((i++)) ;;
      (:(@COMMANDS@)) command=$word words[i]=(); ((CURRENT--, i--)) ;;
    esac
  done
  if ((program)); then
    shift $program words
    ((CURRENT -= program))
    _normal
    return
  fi
  specs=(
    '(- *)'{-h,--help}'[shows this help]'
@COMMON@
  )
  case $command in
@OWN@
    ('') specs+=(
      '(- *)--version[shows the versions of this and its libraries]'
      '1:command:((@NAMES@))') ;;
  esac
  _arguments : $specs
}
if [[ $funcstack[1] == _corebank-auth ]]; then
  _corebank-auth "$@"
else
  (($+functions[compdef])) || { autoload -Uz compinit && compinit -i -D; }
  compdef _corebank-auth corebank-auth
fi
]==]

-- A flag, as _arguments takes it.
local function zsh_flag(flag)
  local meaning = flag.meaning:gsub("[%[%]\\]", "\\%0"):gsub("'", "'\\''")
  if not takes_value(flag) then return ("      '%s[%s]'"):format(flag.flag, meaning) end
  local values = values_of(flag)
  local action = values and "(" .. values .. ")" or flag.kind == "FILE" and "_files"
    or flag.kind == "FOLDER" and "_path_files -/" or ""
  local repeated = (flag.kind == "headers" or flag.isList) and "*" or ""
  return ("      '%s%s=[%s]:%s:%s'"):format(repeated, flag.flag, meaning, flag.kind:lower(), action)
end

local function zsh_flags(command)
  return each(flags.list, "\n", function(flag)
    return flag.command == command and zsh_flag(flag)
  end)
end

function completion.zsh()
  return filled(ZSH, {
    VALUED = valued("|"), COMMANDS = table.concat(flags.commands, "|"),
    COMMON = zsh_flags(nil),
    NAMES = each(flags.commands, " ", function(name)
      return ('%s\\:"%s"'):format(name, flags.summaries[name])
    end),
    OWN = each(flags.commands, "\n", function(command)
      local own = command == "completion" and ("      '1:shell:(%s)'"):format(SHELLS)
        or zsh_flags(command)
      return own ~= "" and ("    (%s) specs+=(\n%s) ;;"):format(command, own)
    end),
  })
end

-- ---- fish --------------------------------------------------------------------------------------

local FISH = [==[
# Completion of corebank-auth for fish.

# The command that has been given, as yet; after the -- of exec that is "program".
function __corebank_auth_command
  set -l skip no
  set -l command
  for word in (commandline -opc)[2..]
    if test $skip = yes
      set skip no
    else if test "$command $word" = 'exec --'
      echo program
      return
    else if contains -- $word @VALUED@
      set skip yes
    else if test -z "$command"; and contains -- $word @NAMES@
      set command $word
    end
  end
  echo $command
end

function __corebank_auth_is
  set -l command (__corebank_auth_command)
  contains -- "$command" $argv
end

# What its program and its arguments can be.
function __corebank_auth_program
  set -l words (commandline -opc)
  set -e words[1..(contains -i -- -- $words)]
  complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c corebank-auth -e
complete -c corebank-auth -f
complete -c corebank-auth -n '__corebank_auth_is program' -a '(__corebank_auth_program)'
complete -c corebank-auth -n 'not __corebank_auth_is program' -s h -l help -d 'shows this help'
complete -c corebank-auth -n '__corebank_auth_is ""' -l version -d 'shows the versions'
complete -c corebank-auth -n '__corebank_auth_is completion' -a '@SHELLS@'
@COMMANDS@
@FLAGS@
]==]

local function fish_flag(flag)
  local values = values_of(flag)
  local argument = not takes_value(flag) and "" or values and (" -x -a '%s'"):format(values)
    or flag.kind == "FILE" and " -r -F"
    or flag.kind == "FOLDER" and " -x -a '(__fish_complete_directories)'" or " -x"
  return ("complete -c corebank-auth -n '%s' -l %s%s -d '%s'"):format(
    flag.command and "__corebank_auth_is " .. flag.command or "not __corebank_auth_is program",
    flag.flag:sub(3), argument, (flag.meaning:gsub("[\\']", "\\%0")))
end

function completion.fish()
  return filled(FISH, {
    VALUED = valued(" "), NAMES = table.concat(flags.commands, " "), SHELLS = SHELLS,
    COMMANDS = each(flags.commands, "\n", function(name)
      return ("complete -c corebank-auth -n '__corebank_auth_is \"\"' -a %s -d '%s'"):format(name,
        flags.summaries[name])
    end),
    FLAGS = each(flags.list, "\n", fish_flag),
  })
end

return completion
