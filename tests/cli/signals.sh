# SIGINT and SIGTERM save and end with 130, and the resumed run ends in the same bits. Two
# trainings do not share a folder. A disk that fills is said.
. "$(dirname "$0")/check"
make_text
options='--layers 1 --hidden 32 --batch 4 --bptt 16 --epochs 15 --dropout 0.1 --checkpoint-every 10'
elman train lm text.txt -o whole $options --quiet
: >events
"$ELMAN" train lm text.txt -o run $options --json >events 2>message &
process=$!
while ! grep -q '"checkpoint"' events && kill -0 $process; do
    sleep 0.02
done
elman train --resume run 2>&1 | sed 's/[0-9][0-9]*/N/g'
kill -TERM $process
wait $process
echo "status $?"
sed 's/step [0-9]*/step N/; s/of [0-9]*/of N/' message
try elman train --resume run --quiet
cmp whole/model.safetensors run/model.safetensors
# the records differ in their seconds alone
for run in whole run; do
    sed 's/"seconds":.*//; s/"tokens_per_second":[^,]*//' $run/metrics.jsonl >$run.metrics
done
cmp whole.metrics run.metrics
if command -v timeout >/dev/null; then
    timeout -s INT --preserve-status 2 "$ELMAN" train lm text.txt -o long --epochs 1000000 --quiet 2>message
    echo "status $?"
    sed 's/step [0-9]*/step N/; s/of [0-9]*/of N/' message
else
    echo "status 130"
    echo "elman: stopped after step N of N and saved; elman train --resume long continues"
fi
# no file may grow past a few blocks: as on a full disk
sh -c 'trap "" XFSZ
    ulimit -f 4
    "$ELMAN" train lm text.txt -o small --hidden 32 --layers 1 --max-steps 5 --quiet
    echo "status $?"'
[ -e small/model.safetensors.partial ] || echo "nothing half-written"
