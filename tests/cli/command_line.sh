# What is typed wrong: one line, status 2.
. "$(dirname "$0")/check"
make_text
try elman
try elman trian
try elman --frobnicate
try elman -x
try elman train
try elman train lm
try elman train lm text.txt
try elman train text.txt -o model
try elman train ml text.txt -o model
try elman train lm text.txt -o ''
try elman train lm text.txt -o model --hiden 3
try elman train lm text.txt -o model --learning-rate 3
try elman train lm text.txt -o model --la 3
try elman train lm text.txt -o model --hidden
try elman train lm text.txt -o model --hidden -3
try elman train lm text.txt -o model --hidden 3.5
try elman train lm text.txt -o model --hidden 99999999999999999999
try elman train lm text.txt -o model --layers 0
try elman train lm text.txt -o model --lr nan
try elman train lm text.txt -o model --lr -1
try elman train lm text.txt -o model --lr 1e999
try elman train lm text.txt -o model --dropout 1
try elman train lm text.txt -o model --seed -1
try elman train lm text.txt -o model --cell lstn
try elman train lm text.txt -o model --init unifrom:0.1
try elman train lm text.txt -o model --init uniform
try elman train lm text.txt -o model --init uniform:x
try elman train lm text.txt -o model --schedule cosin
try elman train lm text.txt -o model --schedule step:0.5
try elman train lm text.txt -o model --tied=perhaps
try elman train lm text.txt -o model --tied --hidden 8 --embedding 9
try elman train lm text.txt -o model --momentum 0.5
try elman train lm text.txt -o model --min-count 3
try elman train lm text.txt -o model --threads 1000
try elman train --resume
try elman train --resume model --force
try elman train lm text.txt -o model --resume --config text.txt
try elman eval
try elman predict
try elman predict model a b
try elman generate
try elman generate model prompt
try elman generate model --temperature -1
try elman generate model --top-p 0
try elman generate model --top-p 1.5
try elman generate model --length -5
try elman generate model --stop "$(printf 'a\377')" | tr -d '\377'
try elman inspect
try elman help zork
try elman completion
try elman completion bsh
try elman man zork
[ ! -e model ] || echo "a model was begun"
