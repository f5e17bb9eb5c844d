#!/bin/bash
# What is made of the table of commands: help, the man page, completion in bash and zsh. Formatters and shells judge, not we.
# shellcheck disable=SC2016 # programs stand in single quotes
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
mapfile -t commands < <("$vocabench" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ ${#commands[@]} -ge 16 ]
verdict $? "${#commands[@]} commands" "${commands[*]}"

# ---- the man page -------------------------------------------------------------------------------------------------
"$vocabench" help --format man >vocabench.1 2>err && [ ! -s err ]
verdict $? "the man page is made" "$(cat err)"
same "make has made the same" vocabench.1 "$build/vocabench.1"
if command -v mandoc >/dev/null; then
  mandoc -T lint -W warning vocabench.1 >lint.log 2>&1; empty "mandoc warns of nothing" lint.log
  mandoc -T utf8 vocabench.1 | col -bx >page
else skip "mandoc" "not installed"; fi
if command -v groff >/dev/null; then
  groff -mdoc -ww -z vocabench.1 >lint.log 2>&1; empty "groff warns of nothing" lint.log
  groff -mdoc -Tutf8 vocabench.1 | col -bx >page
else skip "groff" "not installed"; fi
if [ -s page ]; then
  missing=''
  for command in "${commands[@]}"; do
    grep -qE "^   vocabench $command( |$)" page || missing+="$command "
    for flag in $("$vocabench" help "$command" | sed -n '/^flags:/,/^$/s/^  \(--[a-z-]*\).*/\1/p'); do
      awk -v want="$command" '/^   vocabench / { on = $2 == want } on' page | grep -qE "^ +$flag( |$)" ||
        missing+="$command$flag "
    done
  done
  for key in $("$vocabench" help run | sed -n '/^keys/,$s/^  \([a-z_]*\): .*/\1/p'); do
    grep -qE "^ +$key( |$)" page || missing+="$key: "; done
  for code in 0 1 2 3 4 5 6 7 8 9 10 75; do
    sed -n '/^EXIT STATUS/,/^EXAMPLES/p' page | grep -qE "^ +$code +" || missing+="code $code "; done
  # Every variable of ours that the sources ask for.
  for name in $(cat "$here"/mpi/*.c "$here"/{mpi,kernels,shards}/*/*.c | grep -oE '"VOCABENCH_[A-Z]+"' | tr -d '"' | sort -u); do
    grep -q "^ *$name" page || missing+="$name "; done
  for section in NAME SYNOPSIS DESCRIPTION COMMANDS 'EXPERIMENT FILES' ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
    grep -qx "$section" page || missing+="$section "; done
  equal "it holds every command, flag, key, code and variable" "$missing" ""
fi

# ---- completion in bash -------------------------------------------------------------------------------------------
"$vocabench" help --format bash >vocabench.bash && bash -n vocabench.bash
verdict $? "bash reads its completion"
command -v shellcheck >/dev/null && check "shellcheck finds nothing in it" shellcheck -s bash vocabench.bash
mkdir -p files/sub && touch files/{e.yaml,f.yaml,x.npy,notes.txt,'two words.yaml'}
# complete WORD...: what bash offers for the last word, as Readline calls it: one word a line, sorted.
complete_bash() {
  (cd files && bash --norc -c '. ../vocabench.bash
    function=$(complete -p vocabench | sed "s/.* -F \([^ ]*\) .*/\1/")
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); "$function" vocabench "${@: -1}"; printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort)
}
offers() { # NAME EXPECTED WORD...
  local name=$1 wanted=$2; shift 2
  local got; got=$(complete_bash "$@" | tr '\n' ' ')
  equal "bash: $name" "$got" "$wanted"
}
offers "commands" "$(printf '%s\n' "${commands[@]}" | sort | tr '\n' ' ')" vocabench ''
offers "commands that begin so" "pack plan preprocess " vocabench p
offers "YAML files" "e.yaml f.yaml sub two words.yaml " vocabench run ''
offers "YAML files for a file that may be left out" "e.yaml " vocabench plan e
offers "flags that begin so" "--per-image " vocabench run e.yaml --p
offers "the flags of a command" "--format --help --output " vocabench report --
offers "words to choose from" "html latex md pdf " vocabench report x --format ''
offers "a word behind =" "html " vocabench report --format = h
offers "nothing yet behind =" "html latex md pdf " vocabench report --format =
offers "folders" "sub " vocabench run e.yaml --output ''
offers "files of a kind" "sub x.npy " vocabench retrieve --queries ''
offers "what stands for a positional" "images texts " vocabench encode ''
offers "commands behind help" "merge " vocabench help me
offers "nothing for a number" " " vocabench run e.yaml --batch ''
offers "nothing for an unknown command" " " vocabench nothing --
mkdir -p files/sub/r && echo '{ "results": [
  {
   "model": "tiny one",
   "dataset": "plane"
  },
  {
   "model": "large",
   "dataset": "plane"
  } ] }' >files/sub/r/results.json
offers "models of the results on the line" "large tiny\ one " vocabench compare sub/r x --model ''
offers "those that begin so" "tiny\ one " vocabench compare sub/r sub/r/results.json --model large --model t
offers "and datasets" "plane " vocabench compare sub/r x --dataset = p
offers "no models without results" " " vocabench compare nowhere sub --model ''
offers "after a switch the positional again" "e.yaml " vocabench run --resume e
for command in "${commands[@]}"; do
  wanted=$({ "$vocabench" help "$command" | sed -n '/^flags:/,/^$/s/^  \(--[a-z-]*\).*/\1/p'; echo --help; } | sort | tr '\n' ' ')
  offers "every flag of $command" "$wanted" vocabench "$command" --
done
if [ -r /usr/share/bash-completion/bash_completion ]; then
  install_under "$scratch/root" >log 2>&1 || fail "install" "$(cat log)"
  out=$(XDG_DATA_DIRS=$scratch/root/usr/local/share BASH_COMPLETION_USER_DIR=$scratch/none bash --norc -c '
    . /usr/share/bash-completion/bash_completion; _completion_loader vocabench; complete -p vocabench' 2>&1)
  equal "bash-completion finds the installed file" "$out" "complete -F _vocabench vocabench"
else skip "bash-completion" "not installed"; fi

# ---- completion in zsh --------------------------------------------------------------------------------------------
mkdir functions && "$vocabench" help --format zsh >functions/_vocabench
if command -v zsh >/dev/null; then
  check "zsh reads its completion" zsh -n functions/_vocabench
  # A zsh on a pseudo terminal is typed at: what it lists after a tab.
  cat >drive.zsh <<'Z'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= PROMPT2= ; stty rows 200 columns 200; fpath=($1 \$fpath); autoload -U compinit; compinit -D -u; cd $2; LISTMAX=0"
zpty -w z "zstyle ':completion:*' list-prompt ''; echo REA''DY"
zpty -r z out '*READY*'
zpty -w -n z "$3"; zpty -w -n z $'\t'; sleep 0.7; zpty -w -n z $'\t'; sleep 0.7
while zpty -rt z piece; do print -r -- "$piece"; done
zpty -d z
Z
  zsh_shows() { # NAME TYPED PATTERN...
    local name=$1 typed=$2 out pattern; shift 2
    out=$(TERM=dumb timeout 60 zsh -f drive.zsh "$PWD/functions" "$PWD/files" "$typed" 2>&1 | tr -d '\r')
    case $out in *"can't open pseudo terminal"*) skip "zsh: $name" "no pseudo terminals here"; return ;; esac
    for pattern; do grep -qE -- "$pattern" <<<"$out" || { echo "no $pattern in:"; echo "$out"; }; done >missing
    empty "zsh: $name" missing
  }
  zsh_shows "commands" "vocabench " 'compare .*Compare two results' 'retrieve ' 'help '
  zsh_shows "flags" "vocabench report --" '--format' '--output'
  zsh_shows "words to choose from" "vocabench report --format=" 'html' 'latex' 'pdf'
  zsh_shows "YAML files" "vocabench run " 'e\.yaml' 'f\.yaml'
else skip "zsh" "not installed"; fi

# ---- widths -------------------------------------------------------------------------------------------------------
for width in 40 72 100; do
  for command in '' "${commands[@]}"; do
    # shellcheck disable=SC2086 # no command is no argument
    COLUMNS=$width "$vocabench" help $command
  done >text
  COLUMNS=$width "$vocabench" models >>text
  # Nothing but a word without a place to break may be wider: a path, a key of --set.
  awk -v width=$width 'length > width && !/^ *[^ ]+$/ && !/^  models +[^ ]+$/' text >wide
  empty "help fits $width columns" wide
done
# Broken or not, it says the same.
for command in run submit; do
  equal "help $command at 40 columns has the words of help $command" "$(COLUMNS=40 "$vocabench" help $command | tr -d ' \n')" \
    "$("$vocabench" help $command | tr -d ' \n')"
done
equal "a width that is none is passed over" "$(COLUMNS=wide "$vocabench" help run)" "$("$vocabench" help run)"
if command -v script >/dev/null; then
  script -qec "stty cols 50; '$vocabench' help plan" /dev/null </dev/null | tr -d '\r' >text
  awk 'length > 50 && !/^ *[^ ]+$/' text >wide; empty "help fits the terminal" wide
  like "and is broken there" '^ {6}[a-z]' text
else skip "help fits the terminal" "no script"; fi

# ---- bad input ----------------------------------------------------------------------------------------------------
refuses "a format that is none" 2 "help: --format: expected text, man, bash or zsh, found 'fish'" "$vocabench" help --format fish
refuses "a man page of one command" 2 "help: --format man is of all commands together, not of 'run'" \
  "$vocabench" help run --format man
refuses "a command that is none" 2 "unknown command 'rum'; did you mean 'run'" "$vocabench" help rum
refuses "two commands" 2 "help: unexpected argument 'plan'" "$vocabench" help run plan
refuses "a full disk" 7 "help: standard output cannot be written" sh -c '"$1" help --format man >/dev/full' sh "$vocabench"
finish
