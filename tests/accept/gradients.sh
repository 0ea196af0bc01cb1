#!/bin/sh
# Which cell and which remedy learns to look back how far: the adding problem (Hochreiter &
# Schmidhuber 1997) over lags of 50, 100, 200 and 400, and copying ten symbols over 50 and 100, with a
# curriculum from 1 on; three seeds each, beside the memory horizon that was measured before training.
# Runs end where they have solved it. Two at a time, one thread each: an hour or somewhat more on two cores.
#
#   ELMAN=PROGRAM sh tests/accept/gradients.sh [FOLDER]
#
# FOLDER keeps the runs; stopped, the same command goes on. Without one they are removed at the end.
# SEEDS=1 and UPDATES=10, say, shorten it to a trial. A variant of adding over a lag of 50 that is
# known to solve it and does not is a failure; what else comes out is what is measured.
set -eu
: "${ELMAN:?names the program}"
seeds=${SEEDS:-3}
if [ $# -gt 0 ]; then
    folder=$1
    mkdir -p "$folder"
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
pids=
trap 'kill $pids 2>/dev/null; wait; exit 130' INT TERM

# TASK LAG UPDATES: begins to measure into FOLDER/TASK-LAG, the records into FOLDER/TASK-LAG.json
measure() {
    task=$1 lag=$2 updates=${UPDATES:-$3}
    last=${lag#*..}
    # what one step of the identity gets wrong is added up over all of them
    rate=$(awk "BEGIN { print 0.1 / $last }")
    "$ELMAN" compare probe --task "$task" --lag "$lag" --lags 1000 --budget "$updates" \
        --seeds "$seeds" --threads 1 --eval-every 50 -o "$folder/$task-$last" --json --quiet \
        --variant 'rnn: --cell rnn --clip 0 --lr 0.001' \
        --variant 'rnn-clip: --cell rnn --clip 1 --lr 0.001' \
        --variant 'rnn-clip-value: --cell rnn --clip 0 --clip-value 0.01 --lr 0.001' \
        --variant 'rnn-orthogonal: --cell rnn --init orthogonal --lr 0.0005' \
        --variant 'rnn-norm: --cell rnn --layer-norm --lr 0.002' \
        --variant "irnn: irnn --lr $rate" \
        --variant 'lstm: --cell lstm --lr 0.005' \
        --variant 'lstm-forget-1: --cell lstm --init forget-bias:1 --lr 0.005' \
        --variant 'lstm-forget-5: --cell lstm --init forget-bias:5 --lr 0.005' \
        --variant 'lstm-norm: --cell lstm --layer-norm --lr 0.005' \
        --variant 'gru: --cell gru --lr 0.005' >"$folder/$task-$last.json" &
    pids="$pids $!"
}

finish() {
    for pid in $pids; do
        wait "$pid"
    done
    pids=
}

# Pairs that take about as long as each other.
begin=$(date +%s)
measure adding 400 3000
measure copy 1..100 6000
finish
measure adding 200 3000
measure copy 1..50 6000
finish
measure adding 50 3000
measure adding 100 3000
finish

# A record a variant: {"event":"variant","variant":"gru","runs":3,"solved":3,...}. A horizon that is
# null is beyond what was measured, the lags.
for column in adding-50 adding-100 adding-200 adding-400 copy-50 copy-100; do
    sed -n 's/^{"event":"variant",/column="'$column'",/p' "$folder/$column.json"
done | awk -v seeds="$seeds" -v trial="${UPDATES:+1}" '
    function figure(key,    at) {
        at = index($0, "\"" key "\":")
        if (!at)
            return ""
        at = substr($0, at + length(key) + 3)
        sub(/[,}].*/, "", at)
        gsub(/"/, "", at)
        return at
    }
    {
        column = $0
        sub(/^column="/, "", column)
        sub(/".*/, "", column)
        name = figure("variant")
        if (!(name in order)) {
            order[name] = ++rows
            names[rows] = name
        }
        horizon = figure("memory_before")
        steps = index($0, "\"solved_steps\":{") ? substr($0, index($0, "\"solved_steps\":{")) : ""
        sub(/.*"mean":/, "", steps)
        cell[name, column] = figure("solved") "/" figure("runs") \
            (figure("diverged") > 0 ? "!" figure("diverged") : "")
        reach[name, column] = horizon == "null" ? ">" figure("lags") : horizon
    }
    END {
        n = split("adding-50 adding-100 adding-200 adding-400 copy-50 copy-100", columns, " ")
        printf "%-15s", ""
        for (c = 1; c <= n; c++)
            printf "%11s", columns[c]
        printf "\n"
        for (r = 1; r <= rows; r++) {
            printf "%-15s", names[r]
            for (c = 1; c <= n; c++)
                printf "%5s%6s", cell[names[r], columns[c]], reach[names[r], columns[c]]
            printf "\n"
        }
        print ""
        print "Solved of so many seeds, !N: N of them diverged; then the memory horizon before"
        print "training (its median), > where it is beyond the sequence."
        split("irnn lstm-norm gru", sure, " ")
        for (s in sure)
            if (!trial && cell[sure[s], "adding-50"] != seeds "/" seeds) {
                print sure[s] " does not solve adding over a lag of 50: NOT REACHED"
                bad = 1
            }
        exit bad
    }' || failed=1
echo "$(($(date +%s) - begin)) s"
exit ${failed:-0}
