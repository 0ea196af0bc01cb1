# A classifier from one end to the other: texts, then vectors.
. "$(dirname "$0")/check"

awk 'BEGIN {
    split("great lovely fine dull awful boring", telling, " ")
    split("the film a plot was and it of", other, " ")
    seed = 1
    print "text\tlabel"
    for (line = 0; line < 240; line++) {
        seed = (seed * 16807) % 2147483647
        word = 1 + seed % 6
        text = telling[word]
        for (n = 0; n < line % 5; n++) {
            seed = (seed * 16807) % 2147483647
            text = seed % 2 ? text " " other[1 + seed % 8] : other[1 + seed % 8] " " text
        }
        print text "\t" (word < 4 ? "good" : "bad")
    }
}' >reviews.tsv
elman train classify reviews.tsv -o reviews --hidden 12 --embedding 10 --batch 8 --epochs 12 \
    --lr 0.02 --dropout 0.1 --split 200,20,20 2>said | sed 's/[0-9][0-9.]*s$/TIME/; s/[0-9]\.[0-9]\{4\}/N/g'
grep texts said
ls -1 reviews
cat reviews/labels.json

hide() {
    sed 's/[01]\.[0-9][0-9]*\(e-[0-9]*\)*/P/g; s/[-+]P/P/g; s/  *P/ P/g'
}

echo '--- eval'
elman eval reviews | sed -e 's/^\(loss\|calibration error\)  *.*/\1 N/'
elman eval reviews --test --json | sed 's/"loss":[^,]*/"loss":N/; s/"calibration_error":[^,]*/"calibration_error":N/'
printf 'label,text\ngood,a great film\nbad,"dull, and it was awful"\n' >more.csv
elman eval reviews more.csv | grep -e accuracy -e examples
printf 'label,text\ngood,fine\nmixed,dull\n' >strange.csv
try elman eval reviews strange.csv
try elman eval reviews more.csv --test
try elman eval reviews nowhere.csv
printf 'text,label\ngood\n' >ragged.csv
try elman eval reviews ragged.csv

echo '--- predict'
printf 'a great film\n\nTHE PLOT WAS AWFUL\nfine' | elman predict reviews >plain
cut -f 1 plain
hide <plain | cut -f 2 | sort -u
printf 'a great film\n' | elman predict reviews --top 2 | hide
printf 'dull\n' >lines
elman predict reviews lines --json | hide
elman predict reviews lines --explain | hide
elman predict reviews lines --explain --json | hide | sed 's/"gradient":[^,]*/"gradient":G/; s/"integrated_gradient":[^}]*/"integrated_gradient":G/'
elman predict reviews --threads 2 <lines >two
elman predict reviews --threads 1 - <lines | cmp - two && echo same
printf 'fine\ncaf\351 au lait\nfine\n' >latin
try elman predict reviews latin | hide
try elman predict reviews nowhere
try elman predict reviews lines --rolling
try elman predict reviews lines --plot x.svg
try elman predict reviews lines --top 0
try elman predict reviews lines lines
try elman generate reviews
: >empty
try elman predict reviews empty
if [ -e /dev/full ]; then
    elman predict reviews lines >/dev/full
    echo "status $?"
else
    printf 'elman: standard output: No space left on device\nstatus 1\n'
fi

echo '--- a line at a time'
mkfifo questions answers
elman predict reviews <questions >answers &
exec 3>questions 4<answers
for line in 'a great film' 'awful'; do
    echo "$line" >&3
    read -r answer <&4 && echo "$line: ${answer%%	*}"
done
exec 3>&-
cat <&4
exec 4<&-
wait
rm questions answers

echo '--- vectors'
awk 'BEGIN {
    print "id,t,y,x,class"
    for (i = 0; i < 60; i++)
        for (t = 0; t < 2 + i % 3; t++)
            printf "w%d,%d,%d,%d,%s\n", i, t, (i * 5 + t) % 7, i * 37 % 11 + (i % 2 ? t : -t) * 3, i % 2 ? "up" : "down"
}' >waves.csv
elman train classify waves.csv -o waves --sequence-column id --step-column t --features x,y --hidden 8 \
    --epochs 30 --lr 0.02 --dropout 0 --quiet
elman eval waves waves.csv | grep -e accuracy -e examples
printf 'x\ty\tid\n3\t0\ta\n6\t0\ta\n3\t0\tb\n0\t0\tb\n' | elman predict waves | cut -f 1,2
printf 'x\ty\tid\n3\t0\ta\n6\t0\ta\n' | elman predict waves --json | hide
printf 'x,id\n' >short
try elman predict waves short
printf 'id,x,y\na,1,2\na,1\n' >short
try elman predict waves short
printf 'id,x,y\na,1,NA\n' >short
try elman predict waves short
printf 'a,b,label\n1,2,up\n4,3,down\n' >wide.csv
elman train classify wide.csv -o wide --valid 0 --max-steps 1 --hidden 4 --quiet
printf '1,2\n4;3\n' >wide.lines
try elman predict wide wide.lines | hide
printf '1,2,3\n' >wide.lines
try elman predict wide wide.lines

echo '--- wrong options and files'
try elman train classify reviews.tsv -o x --bptt 3
try elman train classify reviews.tsv -o x --crf
try elman train lm reviews.tsv -o x --balance
try elman train classify reviews.tsv -o x --pool sum
try elman train classify reviews.tsv -o x --label lable
try elman train classify reviews.tsv -o x --split 200,50
try elman train classify reviews.tsv -o x --valid 0 --calibrate --quiet
try elman train classify waves.csv -o x --features x,y --char-hidden 3 --quiet
try elman train classify waves.csv -o x --sequence-column id --label y
printf 'id,t,x,label\na,1,1,up\na,1,2,up\nb,1,3,down\n' >steps.csv
try elman train classify steps.csv -o x --sequence-column id --step-column t
printf 'x,label\n1,up\nnan,down\n' >nan.csv
try elman train classify nan.csv -o x
printf 'text,label\none,good\ntwo,\n' >nolabel.csv
try elman train classify nolabel.csv -o x
printf 'text,label\none,good\ntwo,good\n' >onelabel.csv
try elman train classify onelabel.csv -o x
[ -e x ] || echo 'nothing was made'
rm reviews/labels.json
try elman predict reviews lines
