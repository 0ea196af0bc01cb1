# Event files for TensorBoard: where they go, that they change nothing, and what is said of a folder
# that cannot be one. That TensorBoard reads them: tests/accept/tensorboard.sh.
. "$(dirname "$0")/check"
make_model
elman train --resume model --tensorboard probe 2>&1 | grep -q ELMAN_WITH_TENSORBOARD && exit 77
elman train lm text.txt -o shown --quiet --layers 1 --hidden 16 --batch 8 --bptt 16 --max-steps 20 \
    --dropout 0 --tensorboard runs/one
ls runs/one
cmp model/model.safetensors shown/model.safetensors && cmp model/config.json shown/config.json &&
    echo "the same bits"
strings -n 6 runs/one/* | grep -o '[a-z]*/[a-z_.0-9]*' | LC_ALL=C sort -u
try elman train --resume shown --quiet --tensorboard runs/one
ls runs/one
try elman train lm text.txt -o other --tensorboard text.txt
try elman train lm text.txt -o other --tensorboard ''
[ ! -e other ] || echo "a model was begun"
