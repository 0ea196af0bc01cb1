# The gradient through time: a number, a configuration, a model, truncation, and what is said when it
# goes wrong. Figures are the same bits everywhere.
. "$(dirname "$0")/check"
try elman gradflow --linear 0.9
try elman gradflow --linear 0.9 --json | grep -E '"lag":(10|50),'
try elman gradflow --linear 1.1 --json --lags 10 | tail -n 2 | cut -c1-200
make_text
echo '{"task": "lm", "network": {"cell": "gru", "hidden": 12, "layers": 1}}' >gru.json
try elman gradflow gru.json text.txt --lags 12
make_model --watch gradients
try elman gradflow model --lags 6
try elman gradflow model text.txt --samples 4 --lags 3 --jacobians 0 --json
try elman gradflow model --bptt-bias --lags 16 | sed 's/ *[0-9.]* ms *[0-9]* KiB/  T ms  M KiB/'
try elman gradflow model --bptt-bias --lags 16 --json | sed 's/"seconds":[0-9.e-]*/"seconds":T/;s/"bytes":.*/"bytes":M/' | tail -n 1
grep -c '"event":"gradients","step":[02]*,' model/metrics.jsonl
try elman gradflow
try elman gradflow nothing
try elman gradflow nothing.json text.txt
try elman gradflow gru.json
try elman gradflow gru.json nothing.txt
try elman gradflow model nothing.txt
echo '{"network": {"cell": "gru"}}' >no-task.json
try elman gradflow no-task.json text.txt
echo '{"task": "lm", "network": {"cel": "gru"}}' >wrong.json
try elman gradflow wrong.json text.txt
try elman gradflow --linear 3
try elman gradflow --linear 0.9 model
try elman gradflow --linear 1.5 --lags 5000
try elman gradflow model --lags 0
try elman gradflow model --lgas 3
try elman gradflow model --plot picture.gif
try elman gradflow model --bptt-bias --plot picture.svg
try elman gradflow model --bptt-bias --samples 5
try elman gradflow model --bptt-bias --lags 100000
echo '{"task": "probe"}' >probe.json
try elman gradflow probe.json --bptt-bias
try elman gradflow probe.json text.txt
printf 'the CAT' >capitals.txt
try elman gradflow model capitals.txt
printf 'a' >one.txt
try elman gradflow model one.txt
printf 'the' >three.txt
try elman gradflow model three.txt --json --jacobians 0 | cut -c1-60
# text whose gradient never reaches the last step: pooled by maximum, each word a 1 in one place
printf 'a b c\tyes\nb a c\tno\na c b\tyes\nc b a\tno\n' >few.tsv
echo '{"task": "classify", "data": {"min_count": 1}, "network": {"cell": "rnn-relu", "hidden": 2, "init": "zero"}}' >zero.json
try elman gradflow zero.json few.tsv | head -n 12
try elman gradflow zero.json few.tsv --json | cut -c1-110
mkdir broken
cp model/config.json model/vocabulary.json broken
try elman gradflow broken
command -v gnuplot >/dev/null || exit 0
elman gradflow model --plot picture.svg >/dev/null
head -c 5 picture.svg
echo
grep -c 'Through training' picture.svg
ls picture.svg*
