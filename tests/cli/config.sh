# --config: what it reads, what it refuses, and that options override it.
. "$(dirname "$0")/check"
make_text
refuse() {
    printf '%s\n' "$1" >bad.json
    echo "$1"
    elman train lm text.txt -o model --config bad.json
    echo "status $?"
}
refuse '{"network":{"hiden":8}}'
refuse '{"hidden":8}'
refuse '{"network":{"hidden":"8"}}'
refuse '{"network":{"hidden":1e9}}'
refuse '{"network":{"hidden":1000000000}}'
refuse '{"network":{"hidden":-8}}'
refuse '{"training":{"lr":NaN}}'
refuse '{"training":{"lr":-0.5}}'
refuse '{"training":{"lr":1e999}}'
refuse '{"network":{"cell":"lstn"}}'
refuse '{"network":[]}'
refuse '{"format_version":2}'
refuse '{"task":"classify"}'
refuse '{"network":{"hidden":8}'
refuse ''
try elman train lm text.txt -o model --config nothing.json
try elman train lm text.txt -o model --config .
printf '{"network":{"hidden":8,"layers":3,"tied":true},"training":{"max_steps":3}}\n' >good.json
elman train lm text.txt -o model --config good.json --layers 1 --tied=false --quiet
sed -n 's/^    "\(hidden\|layers\|tied\|max_steps\)": \(.*\),/\1 \2/p' model/config.json
elman train lm text.txt -o other --config model/config.json --quiet
cmp model/config.json other/config.json
cmp model/model.safetensors other/model.safetensors
