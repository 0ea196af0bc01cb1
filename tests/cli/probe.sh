# Probes: trained without data, measured at their lag and at others, inspected; what is refused.
. "$(dirname "$0")/check"
untimed() {
    sed 's/  [0-9][0-9a-z]*s\b//; s/, [0-9][0-9a-z]*s$//'
}
try elman train probe --task parity --lag 2..12 --hidden 16 --lr 0.01 --max-steps 600 -o parity 2>&1 |
    untimed
try elman eval parity
try elman eval parity --lag 100 --json
try elman inspect parity | sed -n '1,/layers/p'
sed -n 's/^    "\(probe\|lag\|files\|stop_at\)": \(.*\)/\1 \2/p' parity/config.json
echo "as config.json says, with another cell"
elman train probe --config parity/config.json --cell gru --max-steps 5 --quiet -o gru
elman inspect gru --json | grep -o '"task":"[a-z]*"\|"lag":"[0-9.]*"\|"cell":"[a-z]*"'
try elman train probe --task copy --lag 3 --hidden 8 --max-steps 3 -o copy 2>&1 | untimed
try elman eval copy --json | tr -d '0-9.'
try elman train --resume copy --quiet
try elman train probe --resume copy --lag 4
try elman train probe copy -o other
try elman train probe
try elman train probe --lag 0 -o other
try elman train probe --lag 1 -o other
try elman train probe --lag 9..2 -o other
try elman train probe --task ading -o other
try elman train probe --valid 0.2 -o other
try elman train probe --bidirectional -o other
try elman train lm text.txt --lag 5 -o other
printf '{"task":"probe","data":{"task":"copy"}}\n' >bad.json
try elman train probe --config bad.json -o other
[ ! -e other ] || echo "a model was begun"
try elman eval parity some.txt
try elman eval parity --test
try elman eval parity --lag 0
echo 1 | try elman predict parity
make_model
try elman eval model --lag 5
