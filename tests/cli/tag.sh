# Tagging: sentences in columns and steps of vectors, from training to answers as lines come.
. "$(dirname "$0")/check"
awk 'BEGIN {
    split("bel dor fin gal hum kel", stem, " "); split("o are ly", ending, " ")
    split("NOUN VERB ADV", tag, " ")
    seed = 1
    for (s = 0; s < 150; s++) {
        for (i = 1; i <= 5; i++) {
            seed = (seed * 16807) % 2147483647; a = stem[1 + seed % 6]
            seed = (seed * 16807) % 2147483647; b = stem[1 + seed % 6]
            seed = (seed * 16807) % 2147483647; k = 1 + seed % 3
            printf "%d\t%s%s%s\t_\t%s\t_\t_\t_\t_\t_\t_\n", i, a, b, ending[k], tag[k]
        }
        print ""
    }
}' >words.conllu
awk 'BEGIN {
    print "clip,x,y,label"
    seed = 1
    for (s = 0; s < 120; s++)
        for (t = 0; t < 4; t++) {
            seed = (seed * 16807) % 2147483647; x = seed % 200 - 100
            seed = (seed * 16807) % 2147483647; y = seed % 200 - 100
            printf "c%d,%d,%d,%s\n", s, x, y, x < 0 ? "left" : "right"
        }
}' >steps.csv
small='--quiet --layers 1 --hidden 16 --embedding 8 --char-hidden 8 --char-embedding 8 --epochs 6 --batch 8 --lr 0.02 --dropout 0'
elman train tag words.conllu -o tagger $small
elman train tag words.conllu -o crf $small --crf
elman train tag steps.csv -o clips --sequence-column clip $small
ls tagger
for model in tagger crf; do
    printf 'belhumare\nkelkelo\n\nfinly\n' | try elman predict $model
done
printf '# kept\n1\tbelbelo\tx\t_\t_\t_\t_\t_\t_\t_\n2-3\tfindorly\t_\t_\t_\t_\t_\t_\t_\t_\n2\tfinly\t_\t_\t_\t_\t_\t_\t_\t_\n' |
    try elman predict tagger
printf 'belhumare\nkelkelo\n\nfinly\n' | try elman predict tagger --json | sed 's/0\.[0-9]*/P/g'
printf 'clip,x,y\na,-50,3\na,60,3\nb,70,3\n' | try elman predict clips
printf 'clip,x,y\na,-50,3\n' | try elman predict clips --json | sed 's/0\.[0-9]*/P/g'
elman eval crf | awk '{ print $1 }'
# what is wrong
printf 'a b\nc\n' | try elman predict tagger
printf 'clip,x,y\na,-50,z\n' | try elman predict clips
try elman train tag words.conllu -o model $small --label UPSO
try elman train tag words.conllu -o model $small --crf --balance
try elman train tag words.conllu -o model $small --pool max
printf 'a NOUN\nb\n' >ragged.txt
try elman train tag ragged.txt -o model $small
try elman eval tagger ragged.txt
