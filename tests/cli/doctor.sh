# elman doctor: before a training, and after one that failed.
. "$(dirname "$0")/check"

make_text
small='--layers 1 --hidden 24 --batch 8 --bptt 32 --epochs 4 --dropout 0'
measured() {
    sed -e 's/"seconds_per_step":[^,]*/"seconds_per_step":S/' -e 's/"memory_bytes":[^,]*/"memory_bytes":M/' \
        -e 's/"range":\[.*\]/"range":R/' -e 's/^memory  .*/memory        M/' -e 's/^time  .*/time          T/' \
        -e 's/\([0-9]\.[0-9][0-9][0-9]\)[0-9]*/\1/g'
}

echo '--- all is well'
try elman doctor lm text.txt $small
elman doctor lm text.txt $small --verbose | measured
elman doctor lm text.txt $small --json | measured

echo '--- findings'
try elman doctor lm text.txt $small --lr 30
elman doctor lm text.txt $small --lr 30 --json | head -1 | measured
try elman doctor lm text.txt $small --bptt 20000 --updates 0
try elman doctor lm text.txt $small --memory 0.0001
awk 'BEGIN { print "text\tlabel"; for (i = 0; i < 300; i++) print "a film " i % 7 "\t" (i % 60 ? "good" : "bad") }' >rare.tsv
try elman doctor classify rare.tsv --hidden 8 --embedding 8 --updates 0
try elman doctor classify rare.tsv --hidden 8 --embedding 8 --updates 0 --balance

echo '--- a note harms nothing'
try elman doctor lm text.txt --layers 1 --hidden 32 --batch 8 --bptt 32 --embedding 300 --updates 0

echo '--- a configuration'
printf '{"task": "lm", "network": {"layers": 1, "hidden": 24}, "training": {"batch": 8, "lr": 30, "epochs": 4}}' >draft.json
elman doctor draft.json text.txt >said
echo "status $?"
head -1 said
elman doctor draft.json text.txt --lr 0.01 --dropout 0
echo "status $?"
elman doctor lm text.txt --config draft.json --lr 0.01 --dropout 0
echo "status $?"

echo '--- a training that failed'
explode="--cell rnn-relu --init identity,embedding:0.1 --optimizer sgd --lr 0.7 $small --bptt 16"
try elman train lm text.txt -o burst --clip 0 $explode --quiet
ls -l burst >before
try elman doctor burst
elman doctor burst --json | sed 's/"fed":.*/"fed":F/; s/"reason":.*"option"/"reason":R,"option"/'
ls -l burst | cmp - before && echo 'nothing was written'
try elman doctor burst --verbose text.txt --clip 5 --epochs 1 | measured
elman train lm text.txt -o burst --force --clip 5 $explode --quiet
echo "status $?"
try elman doctor burst
elman doctor burst --verbose

echo '--- wrong'
try elman doctor
try elman doctor lm
try elman doctor nowhere
try elman doctor text.txt
try elman doctor lmm text.txt
try elman doctor lm nowhere.txt
try elman doctor burst --lr 1
try elman doctor burst --plot rates.svg
try elman doctor lm text.txt --plot rates.pdf
try elman doctor lm text.txt --plot rates.svg --updates 0
try elman doctor lm text.txt --crf
try elman doctor lm text.txt --updates -1
try elman doctor draft.json
try elman doctor burst text.txt --config draft.json
printf '{"network": {"hidden": 8}}' >taskless.json
try elman doctor taskless.json text.txt
awk 'BEGIN {
    printf "{\"task\": \"lm\", \"data\": {\"files\": ["
    for (i = 0; i < 4097; i++)
        printf "%s{\"use\": \"train\", \"path\": \"text.txt\", \"sha256\": \"%064d\", \"bytes\": 1}", i ? "," : "", 0
    printf "]}}"
}' >many.json
try elman doctor many.json
printf '{"network": ' >broken.json
try elman doctor broken.json text.txt
mv burst/vocabulary.json kept
try elman doctor burst
mv kept burst/vocabulary.json
printf 'changed' >>text.txt
try elman doctor burst
