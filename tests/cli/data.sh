# Data that cannot be trained on: one line, status 1, no model begun.
. "$(dirname "$0")/check"
mkdir folder
: >empty.txt
printf x >one.txt
printf 'ab\0cd' >zero.txt
printf 'good text \377\376 and more\n' >invalid.txt
make_text
for file in nothing.txt folder empty.txt one.txt zero.txt invalid.txt /dev/null; do
    try elman train lm $file -o model
done
try elman train lm text.txt empty.txt -o model
try elman train lm text.txt --valid nothing.txt -o model
try elman train lm text.txt --valid 1.5 -o model
try elman train lm text.txt --valid 0.999 --bptt 1000 -o model
try elman train lm text.txt -o text.txt
try elman train lm text.txt -o text.txt/model --quiet
try elman train lm text.txt -o /proc/nowhere --quiet
[ ! -e model ] || echo "a model was begun"
