#!/bin/sh
# The pages of elman report in a headless Chromium: nothing on the console, no request but for the
# page itself, nothing wider than a narrow screen, and screenshots to look at in wide, narrow and dark
# ($SCREENSHOTS, default: a folder in /tmp). About a minute; skipped where there is no Chromium.
set -eu
browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v $name || true)
done
if [ -z "$browser" ]; then
    echo "skipped: no Chromium here"
    exit 0
fi
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
shots=${SCREENSHOTS:-$(mktemp -d /tmp/elman-report-XXXXXX)}
mkdir -p "$shots"
cd "$folder"

cat "$source"/src/train/*.c >text
"$ELMAN" train lm text -o writer --quiet --layers 2 --hidden 64 --max-steps 600 --eval-every 100 \
    --watch gradients
awk 'BEGIN { for (i = 0; i < 400; i++) print i % 2 ? "good fine nice" i % 7 "\t<b>yes" : \
    "bad dull poor" i % 5 "\t<script>no" }' >rows.tsv
"$ELMAN" train classify rows.tsv -o labels --quiet --epochs 3 --hidden 8 --watch gradients
"$ELMAN" train probe --task adding --lag 30 --cell rnn --hidden 16 --max-steps 300 -o adding --quiet \
    --watch gradients
"$ELMAN" report writer -o writer.html --title '<img src=http://example.invalid/x onerror=alert(1)>'
"$ELMAN" report labels -o labels.html
"$ELMAN" report adding -o adding.html

# PAGE NAME WIDTH HEIGHT [OPTION...]: a screenshot; what the browser said and asked for is checked.
look() {
    shown=$1 name=$2 width=$3 height=$4
    shift 4
    timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
        --disable-background-networking --disable-component-update --no-first-run \
        --user-data-dir="$folder/profile" --enable-logging=stderr --log-net-log="$folder/net" \
        --window-size="$width,$height" --screenshot="$shots/$name.png" "$@" \
        "file://$folder/$shown" 2>said
    if grep 'CONSOLE' said; then
        echo "$shown: the console must be empty"
        exit 1
    fi
    [ -s "$shots/$name.png" ]
    # but for the browser's own business with who made it
    if grep -o '"url":"\(http\|ws\|ftp\)[^"]*"' net | grep -v '[./]\(google\|googleapis\|gvt1\)\.com'; then
        echo "$shown: it must ask for nothing"
        exit 1
    fi
}

# the check must itself see what it looks for
echo '<img src="http://127.0.0.1:9/x.png">' >asks.html
echo '<script>console.error(1)</script>' >says.html
for bad in asks says; do
    if (look $bad.html $bad 600 600) >/dev/null; then
        echo "$bad.html was not caught"
        exit 1
    fi
    rm -f "$shots/$bad.png"
done

for page in writer labels adding; do
    look $page.html $page 1200 3600
    # in a frame, since a window is never narrower than 500; what stands out of it would be scrolled
    cat >frame.html <<END
<body style="margin:0"><iframe id=f src="$page.html" style="width:400px;height:5200px;border:0"
onload="var d=f.contentDocument.documentElement;if(d.scrollWidth>400)console.error('too wide: '+d.scrollWidth)"></iframe>
END
    look frame.html $page-narrow 500 5200 --disable-web-security
done
look writer.html writer-dark 1200 3600 --blink-settings=preferredColorScheme=0
echo "7 pages as they should be; look at them: $shots"
