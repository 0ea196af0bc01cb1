# On a terminal: one live line that never reaches the last columns, however narrow; into a file:
# no control character.
. "$(dirname "$0")/check"
command -v script >/dev/null && command -v stty >/dev/null || {
    echo "script and stty are not here"
    exit 77
}
make_text
options='--layers 1 --hidden 32 --batch 4 --bptt 16 --epochs 2'
for columns in 80 40 20; do
    TERM=xterm script -qec "stty cols $columns; '$ELMAN' train lm text.txt -o live $options --force" \
        /dev/null </dev/null >typed
    # a redrawn line begins with a carriage return and ends with "erase the rest"
    tr '\r' '\n' <typed | sed -n 's/\x1b\[K$//p' | grep '%' >lines
    [ -s lines ] && echo "$columns: drawn"
    awk -v most=$((columns - 3)) 'length > most { print most ": " length ": " $0 }' lines
    tr '\r' '\n' <typed | sed 's/\x1b\[K//g' | grep '^epoch' |
        awk -v most=$columns 'most >= 40 && length >= most { print most ": " length ": " $0 }'
done
elman train lm text.txt -o file $options 2>log >printed
tr -d '\n[:print:]' <log | wc -c | tr -d ' '
grep -c '^epoch [0-9.]*  step [0-9]*  loss [0-9.]*  valid [0-9.]*  perplexity [0-9.]*  [0-9]*s' log
sed 's/loss [0-9.]*/loss N/; s/[0-9]*s$/TIME/' printed
