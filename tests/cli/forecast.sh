# Forecasting: four lines, a table with dates, figures, answers, and what is said when it goes wrong.
. "$(dirname "$0")/check"
printf '100\n102\n101\n103\n' >four.csv
try elman train forecast four.csv -o four --epochs 3 2>&1 | grep -v step
try elman predict four four.csv
try elman predict four --json <four.csv
awk 'BEGIN {
    print "date,sales,note,stock"
    seed = 1
    for (i = 0; i < 240; i++) {
        seed = (seed * 16807) % 2147483647
        printf "%d-%02d,%.2f,n%d,%.2f\n", 2000 + i / 12, 1 + i % 12, 100 + i / 2 + 20 * (i % 12 < 6),
            i, 50 + 10 * sin(i) + seed % 100 / 50
    }
}' >months.csv
elman train forecast months.csv -o months --split 168,36,36 --quantiles 0.1,0.9 --epochs 2 --quiet
try elman predict months months.csv | sed 's/\.[0-9]*/.x/g' | head -n 5
try elman predict months months.csv --json | tr -d '0-9.-' | cut -c1-90
try elman eval months --test --json | tr -d '0-9.-' | cut -c1-150
head -n 26 months.csv >some.csv
echo 2002-01,1,x,2 >>some.csv
try elman predict months some.csv
sed -i '$d' some.csv
echo 2002-02,1,x,two >>some.csv
try elman predict months some.csv
head -n 40 months.csv | cut -d, -f1,2 >fewer.csv
try elman predict months fewer.csv
head -n 10 months.csv >short.csv
try elman predict months short.csv
try elman predict months months.csv --plot picture.gif
sed 5p months.csv >twice.csv
try elman train forecast twice.csv -o twice
try elman train forecast months.csv -o twice --target slaes
try elman train forecast months.csv -o twice --lookback 25 --width 4
try elman train forecast months.csv -o twice --crf
[ ! -e twice ] || echo "a model was begun"
