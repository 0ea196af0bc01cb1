# Help, manual pages and completions exist for every verb and fit their readers.
. "$(dirname "$0")/check"
try elman --version | sed 's/ [0-9.]*$/ VERSION/'
elman --help | tail -n +2
try elman eval --help
try elman generate -h
elman help generate >a && elman generate --help >b && cmp a b
for verb in $(elman --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    elman "$verb" --help >text || echo "$verb: status $?"
    awk -v verb="$verb" 'length > 80 { print verb ": " length ": " $0 }' text
    [ -s text ] || echo "$verb: no help"
    elman man "$verb" >page || echo "man $verb: status $?"
    head -n 1 page | grep -q '^\.TH ELMAN-' || echo "man $verb: no title"
    if command -v groff >/dev/null; then
        groff -man -Tascii -ww page >/dev/null
    fi
done
# every option of the help stands in the completions
elman train --help | sed -n 's/^  .*--\([a-z-]*\).*/\1/p' | grep -v '^[a-z]*$' | sort -u >names
for shell in bash zsh fish; do
    elman completion $shell >file || echo "completion $shell: status $?"
    while read -r name; do
        grep -q -e "$name" file || echo "completion $shell: no $name"
    done <names
    if [ $shell != fish ] && command -v $shell >/dev/null; then
        $shell -n file || echo "$shell does not read it"
    fi
done
if command -v bash >/dev/null; then
    elman completion bash >file
    mkdir empty
    cd empty || exit 1
    bash -c '. ../file
        complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _elman; echo "${COMPREPLY[@]}"; }
        complete_line elman tr
        complete_line elman train lm --we
        complete_line elman train --cell rn
        complete_line elman completion ""' 2>/dev/null
else
    printf 'train\n--weight-decay\nrnn rnn-relu\nbash zsh fish\n'
fi
