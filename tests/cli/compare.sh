# Variants side by side: on a text, on a probe, from files; the same for any number of threads and
# after a stop; and what is said when it goes wrong.
. "$(dirname "$0")/check"
make_text
small='--layers 1 --hidden 8 --batch 8 --bptt 8 --dropout 0'
# what the clock says, and the width that it takes
figures() { sed 's/  *[0-9][0-9]*s$/ TIME/; s/time$/TIME/'; }
three() {
    elman compare lm text.txt $small --variant lstm --variant 'quick: --cell gru --lr 0.01' \
        --variant '--clip-value 0.1 --layer-norm' --seeds 2 --budget 20 --eval-every 10 "$@"
}
three -q | figures | tee first
ls compare
three -q -o other --threads 2 | figures | sed 's/other/compare/' >second
cmp first second
three 2>&1 >/dev/null | sed 's/[0-9]*s  (/TIME  (/'
if command -v gnuplot >/dev/null; then
    three -q --plot curves.svg >/dev/null && grep -c '<svg' curves.svg && head -n 1 curves.svg.dat | wc -w
else
    printf '1\n10\n'
fi
elman eval compare/lstm-seed0 --json | grep -c loss

# files, and a run that diverges
elman inspect compare/quick-seed0 >/dev/null && cp compare/quick-seed0/config.json quick.json
printf '{"task":"lm","network":{"cell":"rnn-relu","layers":1,"hidden":8},"training":{"batch":8,
"bptt":8,"optimizer":"sgd","lr":1000,"clip":0}}' >wild.json
try elman compare quick.json wild.json compare/lstm-seed0 text.txt --seeds 1 --budget 30 -o files -q |
    figures
elman compare quick.json wild.json text.txt --seeds 1 --budget 30 -o files --json 2>/dev/null |
    sed 's/"loss":[0-9.]*/"loss":L/; s/"seconds":[0-9.]*/"seconds":S/; s/{"count[^}]*}/{}/g
        s/perplexity":[0-9.]*/perplexity":P/'

# stopped, and the same command again
probe='--task parity --lag 5 --hidden 4 --batch 4 --eval-every 50 --stop-at 0'
"$ELMAN" compare probe $probe --variant gru --variant lstm --seeds 2 --budget 3000 -o run -q >table 2>message &
process=$!
while [ ! -e run/gru-seed0/checkpoint.safetensors ] && kill -0 $process; do
    sleep 0.02
done
kill -TERM $process
wait $process
echo "status $?"
sed 's/run [0-9]/run N/; s/([^)]*)/(RUN)/; s/step [0-9]*/step N/' message
cat table
elman compare probe $probe --variant gru --variant lstm --seeds 2 --budget 3000 -o run -q | figures >first
elman compare probe $probe --variant gru --variant lstm --seeds 2 --budget 3000 -o whole -q | figures |
    sed 's/whole/run/' >second
cmp first second
for run in gru-seed0 gru-seed1 lstm-seed0 lstm-seed1; do
    cmp run/$run/model.safetensors whole/$run/model.safetensors
done

# who solved it as often as another does not do so most often; and a record that others wrote
again() { elman compare probe $probe --variant gru --variant lstm --seeds 2 --budget 3000 -o run "$@"; }
outcome() {
    sed 's/"outcome": "[a-z]*"/"outcome": "'"$2"'"/' run/$1/compare.json >changed
    mv changed run/$1/compare.json
}
outcome gru-seed0 solved && outcome lstm-seed1 solved
again -q | grep ': .*solves'
outcome gru-seed1 solved
again -q | grep ': .*solves'
outcome lstm-seed0 solved
again -q | grep ': .*solves'
outcome lstm-seed0 diverged
sed 's/"message": ""/"message": "\\u001b]0;title\\u0007"/' run/lstm-seed0/compare.json >changed
mv changed run/lstm-seed0/compare.json
again 2>&1 >/dev/null | grep diverged

# a budget in time is turned into updates once
brief() { elman compare probe $probe --variant gru --seeds 1 -o brief -q "$@"; }
brief --budget 0.01s >/dev/null
brief --budget 0.01s >/dev/null
try brief --budget 20s
try brief --budget 5,0.01s

# what is wrong
try elman compare
try elman compare lm text.txt
try elman compare text.txt --variant gru
try elman compare ml text.txt --variant gru
try elman compare lm --variant gru
try elman compare lm nothing.txt --variant gru -o new
try elman compare nothing.json text.txt -o new
try elman compare probe text.txt --variant gru -o new
echo '{"task":"lm","network":{"sell":"gru"}}' >bad.json
try elman compare bad.json text.txt -o new
echo '{"network":{"cell":"gru"}}' >bad.json
try elman compare bad.json text.txt -o new
echo '{"task":"tag"}' >bad.json
try elman compare quick.json bad.json text.txt -o new
try elman compare quick.json compare/../quick.json text.txt -o new
try elman compare lm text.txt --variant gru --variant 'gru: --cell lstm' -o new
try elman compare lm text.txt --variant 'gru --cel lstm' -o new
try elman compare lm text.txt --variant 'a: --cell lstmm' -o new
try elman compare lm text.txt --variant 'a: --cell' -o new
try elman compare lm text.txt --variant 'a: lr 3' -o new
try elman compare lm text.txt --variant 'fast gru: --cell gru' -o new
try elman compare lm text.txt --variant 'a: --lr "3' -o new
try elman compare lm text.txt --variant '' -o new
try elman compare lm text.txt --variant ': --lr 3' -o new
try elman compare lm text.txt --variant '../a: --lr 3' -o new
try elman compare lm text.txt --variant 'a: --seed 3' -o new
try elman compare lm text.txt --variant 'a: --threads 3' -o new
try elman compare lm text.txt --variant 'a: --crf' -o new
try elman compare lm text.txt --variant 'a: --epochs 3' --budget 5 -o new
try elman compare lm text.txt --variant gru --epochs 3 --budget 5 -o new
try elman compare lm text.txt --variant 'a: --cell gru --init forget-bias:1' $small -o new
try elman compare lm text.txt --variant gru --seeds 0 -o new
try elman compare lm text.txt --variant gru --seeds two -o new
try elman compare lm text.txt --variant gru --lags 100001 -o new
for budget in 0 x 5x 60s,60s 1,2 , 5, 1e3 -1 s; do
    try elman compare lm text.txt --variant gru --budget $budget -o new
done
try elman compare lm text.txt --variant gru --plot picture.gif -o new
try elman compare lm text.txt --variant gru --config nothing.json -o new
[ ! -e new ] || echo "something was begun"
try elman compare lm text.txt --variant gru $small --budget 5 -o text.txt -q
try elman compare lm text.txt --variant lstm $small --budget 21 --seeds 1 -q
echo '# more' >>text.txt
try elman compare lm text.txt --variant lstm $small --budget 20 --seeds 1 --eval-every 10 -q
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked && chmod a-w locked
    elman compare lm text.txt --variant gru $small --budget 5 -o locked/runs -q
fi
