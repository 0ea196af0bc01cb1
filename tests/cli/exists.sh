# Where a model stands already: resume, force, and what would change the run.
. "$(dirname "$0")/check"
make_model
cp -R model before
try elman train lm text.txt -o model
try elman train --resume nothing
try elman train --resume text.txt
try elman train --resume model --lr 0.5
try elman train --resume model --hidden 17
try elman train lm text.txt -o model --resume --seed 3
cp text.txt other.txt
try elman train lm other.txt -o model --resume
cmp before/model.safetensors model/model.safetensors
# what does not change the run, or says the same again
try elman train --resume model --threads 2 --quiet
try elman train lm text.txt -o model --resume --hidden 16 --quiet
cmp before/model.safetensors model/model.safetensors
echo "another end" >>text.txt
try elman train --resume model --quiet
make_text
mkdir folder && echo mine >folder/notes
try elman train lm text.txt -o folder --hidden 4 --layers 1 --max-steps 2 --quiet
cat folder/notes
make_model --force --seed 9 && ! cmp -s before/model.safetensors model/model.safetensors
