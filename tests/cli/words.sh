# Word and byte level, a validation file, several texts.
. "$(dirname "$0")/check"
make_text
head -n 50 text.txt >valid.txt
elman train lm text.txt valid.txt -o words --level word --valid valid.txt --layers 1 --hidden 16 \
    --max-steps 30 --min-count 2 --quiet
printf 'the cat sat on\n' | elman predict words --top 3 | tr '\t' '\n' | grep -c '^[a-z<]'
elman generate words --length 12 --prompt 'the cat' | tr -d '\n' | wc -w | tr -d ' '
printf 'the zebra sat\n' >strange.txt
elman eval words strange.txt --json | sed 's/[0-9][0-9.]*/N/g'
elman inspect words | sed -n '1p; /^  text/p; /^  validation  [a-z]/p'
printf '\000\001\377\376 any bytes at all, %s\n' "$(cat valid.txt)" >bytes.bin
elman train lm bytes.bin -o bytes --level byte --layers 1 --hidden 16 --max-steps 5 --quiet
elman inspect bytes | head -n 1
elman generate bytes --length 200 >text && iconv -f UTF-8 -t UTF-8 text >/dev/null && echo valid
printf '\377\376\n' | elman predict bytes --top 1 --json | sed 's/:.*/:/'
