# A page on a model: whole in itself, hostile names, what cannot be measured, what is said when it goes
# wrong. How it looks: tests/accept/report.sh.
. "$(dirname "$0")/check"
make_text
elman train lm text.txt -o '<img src=x onerror=alert(1)>' --quiet --layers 1 --hidden 16 --batch 8 \
    --bptt 16 --max-steps 200 --eval-every 50 --dropout 0 --watch gradients
mv '<img src=x onerror=alert(1)>' hostile
mkdir '<b>'
mv hostile '<b>/<i>&'
sections() {
    grep -o '<section id="[a-z]*"\|<h3>.*</h3>\|<b>[A-Z][^<]*</b>' "$1"
}
# What a page may not hold: scripts, addresses, anything that a name brought with it.
whole() {
    grep -c -i '<script\|https\?:\|src=\|url(\|@import\|<iframe\|<object\|<i>&' "$1"
    grep -o 'Content-Security-Policy' "$1"
    tail -n 1 "$1"
}
try elman report '<b>/<i>&' --updates 0
sections report.html
whole report.html
grep '^<title>' report.html
try elman report '<b>/<i>&' -o two.html --updates 0
cmp report.html two.html && echo "the same page"
try elman report '<b>/<i>&' -o two.html --updates 0 --title '<script>x</script>' --length 0
grep -o '<h1>.*</h1>' two.html
grep -c 'What it writes' two.html
# on another text, as the heading says
head -n 50 text.txt >other.txt
try elman report '<b>/<i>&' other.txt -o two.html --updates 0
grep -o 'On other.txt\.' two.html
# a classifier, whose labels are hostile
awk 'BEGIN { for (i = 0; i < 90; i++) print i % 2 ? "good fine nice\t<script>" : "bad dull poor\t\"&" }' >rows.tsv
elman train classify rows.tsv -o labels --quiet --epochs 1 --hidden 8
try elman report labels -o labels.html --updates 0
whole labels.html
grep -o '<th>&[^/]*' labels.html | LC_ALL=C sort -u
# what the doctor finds, in its words and with the label's
awk 'BEGIN { for (i = 0; i < 90; i++) print i % 30 ? "good fine nice\t<b>" : "bad dull poor\tno" }' >skewed.tsv
elman train classify skewed.tsv -o skewed --quiet --epochs 1 --hidden 8
try elman report skewed -o skewed.html --updates 0
grep -o 'class="finding [a-z]*"\|<code>[a-z-]*</code>: \|&lt;b&gt; is the label\|<code>--[a-z]*</code>' skewed.html
try elman report skewed -o skewed.html --updates 5
grep -o '<b>Loss while[^<]*' skewed.html
# the text is gone, the log is broken: the rest is there
mv text.txt gone
echo broken >>'<b>/<i>&/metrics.jsonl'
try elman report '<b>/<i>&' --updates 0
sections report.html | grep -c section
grep -o 'Not measured: [a-z ]*' report.html
try elman report nowhere
try elman report
try elman report labels -o ''
try elman report labels -o no/such/folder.html --updates 0
try elman report labels --length -1
