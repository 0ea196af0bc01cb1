# Standard output that cannot be written is an error, never silence.
. "$(dirname "$0")/check"
make_model
[ -e /dev/full ] || {
    echo "no /dev/full here"
    exit 77
}
for command in --help 'help train' 'eval model' 'inspect model' 'generate model' 'man' \
    'completion zsh' 'train lm text.txt -o other --max-steps 2 --hidden 4 --layers 1 --json'; do
    elman $command >/dev/full 2>error
    echo "status $?"
    tail -n 2 error
done
echo the | elman predict model >/dev/full
echo "status $?"
{ elman generate model --length 1000000; echo "status $?" >&2; } | head -c 20 >/dev/null
elman eval model >&-
echo "status $?"
