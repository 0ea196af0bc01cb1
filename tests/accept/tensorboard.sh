#!/bin/sh
# What TensorBoard itself reads of --tensorboard: every figure of metrics.jsonl once, by rising
# steps, the same for a run that was killed and resumed as for one that was not. About a minute;
# skipped where python3 (or $PYTHON) has no tensorboard (pip install tensorboard).
set -eu
python=${PYTHON:-python3}
if ! "$python" -c 'import tensorboard' 2>/dev/null; then
    echo "skipped: $python has no tensorboard"
    exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat "$here"/../../src/train/*.c >"$folder/text"
cd "$folder"
options="--watch gradients --quiet --layers 1 --hidden 96 --bptt 32 --epochs 6 --eval-every 100
    --checkpoint-every 70"

"$ELMAN" train lm text -o whole --tensorboard runs/whole $options
"$ELMAN" train lm text -o cut --tensorboard runs/cut $options &
kills=0
while sleep 1 && kill -9 $! 2>/dev/null; do
    wait $! 2>/dev/null || true
    kills=$((kills + 1))
    [ $kills -lt 20 ] || break
    "$ELMAN" train --resume cut --tensorboard runs/cut --quiet &
done
wait
"$ELMAN" train --resume cut --tensorboard runs/cut --quiet
cmp whole/model.safetensors cut/model.safetensors
echo "killed $kills times; $(ls runs/cut | wc -l) event files"
"$python" "$here/read_events.py" whole cut
