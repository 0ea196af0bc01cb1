# A model from one end to the other.
. "$(dirname "$0")/check"
make_model
ls -1 model
elman eval model | sed 's/[0-9][0-9.,]*/N/'
elman eval model text.txt --json | sed 's/[0-9][0-9.]*/N/g'
printf 'the cat\nthe dog ran' | elman predict model --top 2 | sed 's/[^	]*	0\.[0-9]*/TOKEN	P/g'
printf 'the cat\n' >lines
elman predict model lines --json --top 1 | sed 's/"token":"[^"]*"/"token":T/; s/0\.[0-9e-]*/P/'
elman generate model --prompt 'the cat' --length 30 >first
elman generate model --prompt 'the cat' --length 30 --threads 2 >second
elman generate model --prompt 'the cat' --length 30 --seed 1 >third
cmp first second && ! cmp -s first third && head -c 7 first && echo
tail -c 1 first | od -An -c
elman generate model --length 300 --stop at | grep -c at
elman generate model --length 0 --prompt 'no end' | od -An -c
elman generate model --length 5 --json | sed 's/"text":".*","/"text":TEXT,"/'
elman generate model --temperature 0 --length 40 >first
elman generate model --top-k 1 --length 40 --seed 5 >second
cmp first second
elman inspect model | sed 's/[0-9][0-9]*s$/TIME/; s/0\.[0-9]\{4\}/LOSS/g; s/[0-9]\.[0-9]\{4\}/LOSS/g'
elman inspect model --json | sed 's/.*"count":\([0-9]*\),"bytes":\([0-9]*\),"training".*/\1 \2/'
