# Models that are cut, corrupt or not there: one line, status 1.
. "$(dirname "$0")/check"
make_model
broken() {
    rm -rf broken && cp -R model broken
}
mkdir empty
for verb in eval predict generate inspect; do
    try elman $verb nothing </dev/null
    try elman $verb empty </dev/null
done
try elman eval text.txt
broken && rm broken/model.safetensors && try elman eval broken
broken && rm broken/vocabulary.json && try elman eval broken
broken && head -c 100 model/model.safetensors >broken/model.safetensors && try elman eval broken
try elman inspect broken
broken && head -c 4 model/model.safetensors >broken/model.safetensors && try elman eval broken
broken && printf 'garbage, and more garbage' >broken/model.safetensors && try elman eval broken
for size in 15 20000; do
    broken && sed "s/\"hidden\": 16/\"hidden\": $size/; s/\"embedding\": 16/\"embedding\": $size/" model/config.json >broken/config.json
    try elman eval broken
done
broken && sed 's/"task": "lm"/"task": "sing"/' model/config.json >broken/config.json
try elman eval broken
broken && sed 's/"format_version": 1/"format_version": 7/' model/config.json >broken/config.json
try elman eval broken
broken && printf '{"level":"char","tokens":["a"]}' >broken/vocabulary.json && try elman eval broken
# text that the model has never seen
printf 'the c\303\240t\n' >strange.txt
try elman eval model strange.txt
try elman eval model nothing.txt
try elman eval model empty
try elman predict model strange.txt
try elman predict model nothing.txt
try elman predict model empty
try elman generate model --prompt "$(cat strange.txt)"
try elman generate model --prompt "$(printf 'a\377')" 2>&1 | tr -d '\377'
