#!/bin/bash
# `vocabench report`: pages that are whole, figures whose data are the results', hostile names, formats, bad input, a browser's
# view.
# shellcheck disable=SC2016 # names and programs stand in single quotes
. "$(dirname "$0")/../lib.sh"
cd "$scratch" || exit 1
python=/usr/bin/python3
command -v gnuplot >/dev/null || { skip "reports" "gnuplot-nox is not installed"; finish; }

# ---- results with all that a report can show, under names that try everything ------------------------------------
must "$tools/npy" random T.npy 24 16 1; must "$tools/npy" random I.npy 300 16 2; must "$tools/npy" random C.npy 6 16 3
seq 0 299 | awk '{ print ($1 * $1 + 3 * $1) % 24 }' >labels; must "$tools/npy" numbers y.npy i8 labels
cat >v.yaml <<'E'
name: hostile
vocabularies:
  '<script>alert(1)</script>': ['<b>c0', c1, c2, c3]
  'a, "quoted" `touch pwned` $(touch pwned)': [c4, c5, c6, c7]
  "it's {b}_x^2 @y \\\\ %s %d #": [c8, c9, c10, c11]
  'ünïcode, 日本語 & a name that is longer than any axis of a figure would like': [c12, c13, c14, c15]
  v4: [c16, c17, c18, c19]
  v5: [c20, c21, c22, c23]
E
printf '%s\n' 'one' 'two & <i>' 'three' '`touch pwned`' "it's five" 'six' >candidates.txt
cat >e.yaml <<'E'
experiment: 'x <y> & "z"'
analyses: [margin, similarity, alignment, uniformity, order]
adversarial: {candidates: candidates.txt, embeddings: C.npy, k: 2}
datasets: [{name: 'd <i>', vocabularies: v.yaml}]
models:
  - name: 'm <img src=x onerror=alert(1)> `touch pwned`'
    family: precomputed
    image_embeddings: I.npy
    text_embeddings: T.npy
    labels: y.npy
  - {name: "it's 'b' {n}_y | %s", family: precomputed, image_embeddings: T300.npy, text_embeddings: T.npy, labels: y.npy}
E
must "$tools/npy" rows T.npy T300.npy labels
run e.yaml --output results
# What retrieval adds, as a run with a corpus writes it.
first=$(find results/pairs -name 'm*' -printf '%f\n' | sed 's/\.json$//')
mkdir -p results/retrieval && printf '%s\n' \
  '{"class":"<b>c0","results":[{"id":3,"score":0.75,"kept":true,"caption":"a <script>caption</script>"},
  {"id":4,"score":0.5,"kept":false,"caption":"not kept"}]}' | tr -d '\n' >list && echo >>list && printf '%s\n' \
  '{"class":"c1","results":[{"id":9,"score":0.25,"kept":false,"caption":"nor this"}]}' >>list
zstd -q list -o "results/retrieval/$first.jsonl.zst"
jq '.results[0] |= (. as $r | .retrieval = {corpus: "c", rows: 10, depth: 2, results:
  [0.25, 0.5 | {top_k: 10, lambda: ., acc_c: ($r.acc_c + . / 10), acc_c_se: 0.01, acc_e: ($r.acc_e + . / 10), acc_e_se: 0.01,
    acc_s: ($r.acc_s + . / 10), acc_s_se: 0.01, top1_all: $r.top1_all, top1_all_se: 0.01,
    stated: (. == 0.25), best: (. == 0.5)}]})' \
  results/results.json >changed && mv changed results/results.json
# The pair's own file still has the result without retrieval, so that the list of captions is another run's.
must "$vocabench" report results --output page.html
unlike "captions of another run are not shown" 'caption&lt;/script&gt;' page.html
jq --arg list "retrieval/$first.jsonl.zst" --slurpfile whole results/results.json \
  '.result = $whole[0].results[0] | .files += [{path: $list}]' "results/pairs/$first.json" >changed &&
  mv changed "results/pairs/$first.json"

"$vocabench" report results --output page.html >log 2>err; code=$?
[ $code = 0 ] && [ ! -s err ] && grep -qx 'report: page.html (15 figures, their data in page-data)' log
verdict $? "a report" "code $code" "$(cat log err)"
out=$($python "$here/tests/tools/check_page.py" page.html . 2>&1) && [ "$out" = "15 figures" ]
verdict $? "the page is whole, every figure drawn and described" "$out"
[ ! -e pwned ] && [ ! -e page-data/pwned ]
verdict $? "names are not executed"
while IFS= read -r text; do
  has_text "the page shows: $text" "$text" page.html
done <<'E'
&lt;script&gt;alert(1)&lt;/script&gt;
m &lt;img src=x onerror=alert(1)&gt; `touch pwned`
x &lt;y&gt; &amp; &quot;z&quot;
it&#39;s {b}_x^2 @y \\ %s %d #
日本語 &amp; a name that
a &lt;script&gt;caption&lt;/script&gt;
1 of 2
REPE, upper bound: the best of 2 settings on these images, k = 10, λ = 0.5
Adversarial vocabularies
two &amp; &lt;i&gt;
E
unlike "captions that were not kept stay out" 'nor this|not kept' page.html
finished=$(jq -r .run.finished results/results.json)
like "the date is the run's" "finished $finished" page.html
for kind in overview curve geometry vocabularies theft similarity margin adversarial retrieval; do
  n=$(find page-data -name "*-$kind*.csv" ! -name '*-curves*' | wc -l)
  case $kind in overview | curve | geometry | retrieval) want=1 ;; *) want=2 ;; esac
  equal "$want figure(s): $kind" "$n" $want
done

# ---- what is undefined is in no text: one class, one vocabulary; Acc-E that was drawn has no error ----------------
printf 'name: v\nvocabularies: {a: [x]}\n' >single-v.yaml
must "$tools/npy" random single-t.npy 1 16 4; must "$tools/npy" random single-i.npy 5 16 5; printf '0\n%.0s' {1..5} >zeros
must "$tools/npy" numbers single-y.npy i8 zeros
cat >single.yaml <<'E'
experiment: single
analyses: [similarity, open_curve]
open_curve: {names: candidates.txt, embeddings: C.npy, exclude: none}
datasets: [{name: d, vocabularies: single-v.yaml}]
models:
  - {name: m, family: precomputed, image_embeddings: single-i.npy, text_embeddings: single-t.npy, labels: single-y.npy}
  - {name: n, family: precomputed, image_embeddings: single-i.npy, text_embeddings: single-t.npy, labels: single-y.npy}
E
run single.yaml --output single
run e.yaml --output drawn --set protocol=sampled --set adversarial= --set analyses=
for results in single drawn; do
  must "$vocabench" report $results --output $results.html; must "$vocabench" report $results --output $results.md
  sed '/<script>$/,/<\/script>/d' $results.html >text
  unlike "$results: what is undefined is in no text of the page" '[^a-zA-Z<>/](nan|inf)([^a-zA-Z]|$)' text
  unlike "$results: nor of Markdown" '[^a-zA-Z](nan|inf)([^a-zA-Z]|$)' $results.md
done
has_text "a value without its error" '<title>m on d: Acc-E 100.00, Acc-C 100.00<' single.html
has_text "a class alone has no others" "to the own class; there are no others." single.md
equal "a vocabulary alone loses nothing to others" "$(find single-data -name '*-vocabularies-*')" ""

# ---- the data beside the figures are the results' -----------------------------------------------------------------
numbers() {
  awk -F, -v columns="$1" 'NR > 1 { n = split(columns, c, " ")
    for (i = 1; i <= n; i++) printf "%.6f%s", $c[i], i < n ? " " : "\n" }' "$2"
}
wanted() { jq -r "$1" results/results.json | awk '{ for (i = 1; i <= NF; i++) printf "%.6f%s", $i, i < NF ? " " : "\n" }'; }
# plotted NAME COLUMNS CSV FILTER: the columns are what jq makes of the results.
plotted() { check "$1" diff <(numbers "$2" "$3") <(wanted "$4"); }
plotted "curves" "1 2 3" page-data/*-curve-*.csv '.results as $r | range($r[0].curve | length) as $i |
  "\($i) \(100 * $r[0].curve[$i]) \(100 * $r[1].curve[$i])"'
plotted "the worst and the best order" "4 5 6 7" page-data/*-curve-*.csv \
  '[.results[].analyses.order] as $o | range($o[0].worst | length) as $i |
  "\(100 * $o[0].worst[$i]) \(100 * $o[0].best[$i]) \(100 * $o[1].worst[$i]) \(100 * $o[1].best[$i])"'
# Of two models one may have no orders, and two series no arrow from one to the other.
mkdir mixed; jq 'del(.results[0].analyses.order) | .results[0].series = {name: "a", checkpoint: "1"} |
  .results[1].series = {name: "b", checkpoint: "1"}' results/results.json >mixed/results.json
must "$vocabench" report mixed --output mixed.html
equal "a band is of its model's columns" "$(cat mixed-data/*-curve-*.gp | grep -oE 'using 1:[0-9:]+ with filledcurves')" \
  "using 1:4:5 with filledcurves"
equal "no arrow between two series" "$(cat mixed-data/*-geometry-*.gp | grep -c '^set arrow')" 0
jq '.results[1].series.name = "a"' mixed/results.json >changed && mv changed mixed/results.json
must "$vocabench" report mixed --output mixed.html
equal "one along a series" "$(cat mixed-data/*-geometry-*.gp | grep -c '^set arrow')" 1
cp -r mixed again; must "$vocabench" report mixed again --output both.html
equal "and none to a series of its name in other results" "$(cat both-data/*-geometry-*.gp | grep -c '^set arrow')" 2
plotted "vocabularies" "2 3" page-data/05-vocabularies-*.csv \
  '.results[0].vocabularies | sort_by(.acc_s - .acc_c)[] | "\(100 * .acc_c) \(100 * .acc_s)"'
plotted "overview, the most open first" "3 6" page-data/01-overview.csv \
  '.results | sort_by(-.acc_e)[] | "\(100 * .acc_e) \(100 * .acc_c)"'
plotted "its intervals" "4 5" page-data/01-overview.csv '.results | sort_by(-.acc_e)[] | .errors.acc_e.interval.classes as $i |
  "\(100 * $i[0]) \(100 * $i[1])"'
plotted "openness" "1 2" page-data/02-openness-*.csv '.results[] | "\(100 * .acc_c) \(100 * .acc_e)"'
plotted "theft" "1 2 3 4" page-data/06-theft-*.csv '.results[0] as $r | range(6) as $t | range(6) as $u | select($t != $u) |
  "\($t) \($u) \($r.theft[$t][$u]) \(100 * $r.theft[$t][$u] / $r.vocabularies[$t].images)"'
plotted "adversarial" "2 3" page-data/09-adversarial-*.csv '.results[0].adversarial[] |
  "\(100 * .accuracy_before) \(100 * (.accuracy[-1] // .accuracy_before))"'
plotted "retrieval" "2 3" page-data/10-retrieval-*.csv '.results[0] as $r | ("acc_c", "acc_e", "acc_s", "top1_all") as $k |
  "\(100 * $r[$k]) \(100 * $r.retrieval.results[0][$k])"'
plotted "geometry" "1 2" page-data/*-geometry-*.csv '.results[].analyses | "\(.uniformity_text) \(.alignment)"'
sums=$(awk -F, 'NR > 1 { for (k = 2; k <= NF; k++) s[k] += $k } END { printf "%.4f %d %.4f %d", s[2], s[3], s[4], s[5] }' \
  page-data/07-similarity-*.csv)
equal "histograms hold every pair" "$sums" "100.0000 300 100.0000 6900"
out=$($python -c 'import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8")))
print(len({len(r) for r in rows}), [r[-1] for r in rows if chr(34) in r[-1]][0])' page-data/05-vocabularies-*.csv)
equal "CSV that other programs read" "$out" '1 a, "quoted" `touch pwned` $(touch pwned)'

# ---- the same bytes, several folders, formats ----------------------------------------------------------------------
mkdir again; must "$vocabench" report results --output again/page.html
same "the same bytes again" page.html again/page.html
check "the same data, scripts and pictures again" diff -r page-data again/page-data
mpi 3 "$vocabench" report results --output ranks.html >/dev/null 2>&1 &&
  sed 's/page-data/ranks-data/g' page.html | cmp -s - ranks.html
verdict $? "3 ranks"
cp -r results other && "$vocabench" report results other/results.json --output two.html >/dev/null &&
  grep -qF '`touch pwned` (other)' two.html &&
  $python "$here/tests/tools/check_page.py" two.html . >log
verdict $? "two folders with the same names" "$(cat log)"
"$vocabench" report results --output r.md >log && grep -q '^# Openness of x \\<y\\> \\& "z"$' r.md &&
  [ "$(grep -c '^!\[' r.md)" = 15 ] && [ "$(grep -oE '\(<r-data/[^>]*>\)' r.md | tr -d '()<>' | xargs ls | wc -l)" = 15 ]
verdict $? "Markdown" "$(head -c 600 r.md)"
check_not "Markdown holds no HTML of names" grep -qP '(?<!\\)<(script|img|i|b)\b' r.md
"$vocabench" report results --format latex >log && [ -s report.tex ] && grep -q 'textbackslash' report.tex &&
  grep -qF '$\pm$' report.tex && [ "$(grep -c 'begin{tabular}' report.tex)" = "$(grep -c 'end{tabular}' report.tex)" ] &&
  grep -qF '\{b\}\_x\textasciicircum{}2' report.tex && [ ! -e report-data ]
verdict $? "LaTeX" "$(head -c 600 report.tex)"
if command -v pdflatex >/dev/null && kpsewhich booktabs.sty >/dev/null; then
  { printf '%s\n' '\documentclass{article}' '\usepackage[T1]{fontenc}' '\usepackage{booktabs}' '\begin{document}'
    awk '{ print } /end\{tabular\}/ { print "" }' report.tex; printf '%s\n' '\end{document}'; } >document.tex
  pdflatex -interaction=nonstopmode -halt-on-error document.tex >log 2>&1 && [ -s document.pdf ]
  verdict $? "pdflatex compiles it" "$(grep -aA3 '^!' log)"
  pdftotext -layout document.pdf - 2>/dev/null | grep -q 'U+65E5'
  verdict $? "what its fonts have no character for is numbered"
else skip "LaTeX compiled" "no pdflatex with booktabs (texlive-latex-recommended)"; fi
# A row of LaTeX has one unescaped & less than columns.
out=$(awk '/begin\{tabular\}/ { columns = gsub(/[lr]/, "", $0) - 5 }
  /\\\\$/ { gsub(/\\&/, ""); if (gsub(/&/, "") != columns - 1 && columns < 0) print NR }' report.tex)
equal "LaTeX rows" "$out" ""

# A plain result: no analyses, no adversarial names, one model: only the figures that there is something for.
jq 'del(.results[1:]) | .results[0] |= del(.analyses, .adversarial, .adversarial_pool, .retrieval)' \
  results/results.json >plain.json
"$vocabench" report plain.json --output plain.html >log && grep -q '(3 figures' log &&
  $python "$here/tests/tools/check_page.py" plain.html . >log2
verdict $? "a plain result" "$(cat log log2)"
has_text "the curve of one model has its band" 'lower_quartile,upper_quartile' <<<"$(head -n 1 plain-data/01-curve-*.csv)"
plotted "of quartiles between the vocabularies' values" "3 4" plain-data/01-curve-*.csv '.results[0].vocabularies as $all |
  def quartile($i; $part): [$all[].curve[$i]] | sort as $s | ($part * (length - 1)) as $x | ($x | floor) as $b |
    $s[$b] + ($x - $b) * ($s[$b + 1] - $s[$b]);
  range($all | length) as $i | "\(100 * quartile($i; 0.25)) \(100 * quartile($i; 0.75))"'
# Each image is the text of its vocabulary's other class.
printf 'name: v\nvocabularies: {a: [x, y], b: [z, w]}\n' >wrong-v.yaml; printf '%s\n' 0 1 2 3 >wrong-y.txt
must "$tools/npy" rows T.npy wrong-t.npy <(seq 0 3); must "$tools/npy" rows T.npy wrong-i.npy <(printf '%s\n' 1 0 3 2)
sed 's/single-t/wrong-t/; s/single-i/wrong-i/; s/single-v/wrong-v/; s/single-y.npy/wrong-y.txt/' single.yaml >wrong.yaml
run wrong.yaml --output wrong --set 'open_curve={names: candidates.txt, embeddings: C.npy, exclude: none}' \
  --set analyses='[open_curve]'
equal "no image is right" "$(query wrong '[.results[].acc_c] | add')" 0
"$vocabench" report wrong --output wrong.html >log 2>err; verdict $? "a page of models that are never right" "$(cat err)"
must "$vocabench" report wrong --output wrong.md
like "names halve none of that, nor spare it" '^\| m +\| +6 \| +0\.00 ± 0\.00 \|.*\| +0\.00 \| +– \|' wrong.md
# Vocabularies of few images have a star, of equal thefts the first names stand first, and one of four is left out.
jq 'del(.results[1:]) | .results[0].vocabularies[0] += {name: "many", images: 30} |
  .results[0].vocabularies[1] += {name: "few", images: 29} |
  .results[0].adversarial[0] += {names: ["thief"], accuracy: [0.5], takes: [{z: 2, b: 1, c: 2, a: 2}], relations: []}' \
  results/results.json >odd.json
must "$vocabench" report odd.json --format latex --output odd.tex
like "30 images are no few" '^many & ' odd.tex
like "29 are" '^few [*] & ' odd.tex
has_text "what a name takes most of" "thief: 2 a, 2 c, 2 z …" odd.tex

# ---- many models: a panel each ---------------------------------------------------------------------------------------
jq '.results[0] as $r | .results = [range(6) | . as $i | $r | .model = "model \($i)" | .acc_e -= $i / 100 |
  del(.adversarial, .adversarial_pool, .retrieval)]' results/results.json >many.json
"$vocabench" report many.json --output many.html >log && $python "$here/tests/tools/check_page.py" many.html . >log2
verdict $? "six models" "$(cat log log2)"
like "a panel a model, the others in grey" 'a panel a model, the others in grey; band: from the worst to the best order' many.html
equal "a curve in colour in each, five in grey" \
  "$(grep -c 'with lines lw 2.5' many-data/*-curve-*.gp) $(grep -c 'with lines lw 0.7' many-data/*-curve-*.gp)" "6 30"
sed -n '/<h3>model 3/,/<\/details>/p' many.html >one
has_text "each result on its own" 'Acc-E' one
values=$(grep -o '<circle class="mark"[^>]*><title>model 5: [^<]*' many.html | grep -c 'foreign vocabular')
equal "its values are told: one a vocabulary" "$values" "$(jq '.results[5].curve | length' many.json)"

# Of many targets those that lose most are drawn.
jq '.results = [.results[0] | .adversarial |= (.[0] as $a | [range(40) as $i | $a | .target = "t\($i)" |
  .accuracy[-1] = .accuracy_before - $i / 1000])]' results/results.json >targets.json
"$vocabench" report targets.json --output targets.html >log 2>err; verdict $? "forty targets" "$(cat err)"
equal "thirty of them, the largest loss first" \
  "$(awk -F, 'NR > 1 { printf "%s ", $NF }' targets-data/*-adversarial-*.csv | tr -d '"')" \
  "$(seq 39 -1 10 | sed 's/^/t/' | tr '\n' ' ')"

# ---- bad input ------------------------------------------------------------------------------------------------------
refuses "no folder" 2 "report: expected DIR..." "$vocabench" report
refuses "a folder that is none" 4 "nothing: cannot open" "$vocabench" report nothing
sed '/^analyses/d; /^adversarial/d; /T300/d' e.yaml >short.yaml
# unfinished NAME HOW END PATH
unfinished() {
  refuses "$1" 4 "u/results.json: no such file: the run in that folder $2; .*status u.*run --resume $3" "$vocabench" report "$4"
}
VOCABENCH_FAULT=unit:1:EIO "$vocabench" run short.yaml --output u >/dev/null 2>&1
unfinished "a run that failed" "failed with code 1 \(dataset .*injected fault\)" "ends it" u
unfinished "by its file" "failed with code 1 .*" "ends it" u/results.json
VOCABENCH_FAULT=unit:1:kill "$vocabench" run short.yaml --output u >/dev/null 2>&1
unfinished "a run that was killed" "has not ended, or was killed" "ends it" u
jq '.ended = {code: 75, error: "x"}' u/state.json >state && mv state u/state.json
unfinished "a run that was stopped" "was stopped" "ends it" u
run short.yaml --output u --resume
check "run --resume ends it" "$vocabench" report u --output u.html
rm u/results.json; unfinished "results that were removed" "ended well, and the file is gone" "writes it again" u
echo '{"schema": "of another/1"}' >u/state.json
refuses "another program's state" 4 "u/results.json: cannot open" "$vocabench" report u
refuses "a name that tells no format" 2 \
  "--output: page.docx: expected a name that ends in .html, .md, .tex or .pdf, or --format" \
  "$vocabench" report results --output page.docx
refuses "a format that is none" 2 "--format: expected html, md, latex or pdf, found 'htlm'; did you mean 'html'" \
  "$vocabench" report results --format htlm
refuses "an output that cannot be written" 7 "" "$vocabench" report results --output /proc/no/page.html
jq '.results[0].vocabularies[0].curve = []' results/results.json >broken.json
refuses "an entry that is not whole" 5 "broken.json: results\[0\]: 'curve' is missing" "$vocabench" report broken.json
for theft in 1000000 -1 0.5 null; do
  jq ".results[0].theft[0][1] = $theft" results/results.json >broken.json
  refuses "a vocabulary that takes $theft images" 5 "broken.json: results\[0\]: 'theft' is missing or not" \
    "$vocabench" report broken.json
done
mkdir -p bad/retrieval && cp results/results.json bad/ && echo '{"class": "x"}' | zstd -q -o "bad/retrieval/$first.jsonl.zst"
refuses "captions that are none" 5 "jsonl.zst: line 1: expected a class with results" "$vocabench" report bad --output bad.html
check "and no page is left" test ! -e bad.html
mkdir -p tools empty
printf '#!/bin/sh\necho first >&2\necho "line 3: boom" >&2\nexit 3\n' >tools/gnuplot; chmod +x tools/gnuplot
PATH=$PWD/tools:$PATH refuses "gnuplot that fails" 1 "page-data/01-overview.gp: gnuplot ended with code 3: line 3: boom" \
  "$vocabench" report results --output page.html
printf '#!/bin/sh\nkill -9 $$\n' >tools/gnuplot
PATH=$PWD/tools:$PATH refuses "gnuplot that is killed" 1 "gnuplot ended by signal 9" \
  "$vocabench" report results --output page.html
printf '#!/bin/sh\nn=${2%%.gp}; echo "<svg" >$n.svg\n' >tools/gnuplot
PATH=$PWD/tools:$PATH refuses "gnuplot that writes half a picture" 5 "gnuplot's SVG is not whole" \
  "$vocabench" report results --output half.html
IFS=: read -ra folders <<<"$PATH" # every program but one
for folder in "${folders[@]}"; do
  find "$folder/" -maxdepth 1 -not -type d -not -name 'gnuplot*' -exec ln -st empty {} + 2>/dev/null
done
env PATH="$PWD/empty" "$vocabench" report results --output none.html >/dev/null 2>err; code=$?
[ $code = 4 ] && grep -q 'gnuplot: no such program; install it (Debian: apt-get install gnuplot-nox)' err
verdict $? "no gnuplot" "code $code" "$(cat err)"
same "a page that was there stays as it was" page.html again/page.html
cp page.html kept.pdf
rm -f empty/chromium* empty/google-chrome* && ln -s "$(command -v gnuplot)" empty/gnuplot
PATH=$PWD/empty refuses "PDF without a browser" 4 "no chromium in PATH, .*apt-get install chromium" \
  "$vocabench" report results --output kept.pdf
printf '#!/bin/sh\necho first >&2\necho "no display" >&2\nexit 5\n' >empty/chromium && chmod +x empty/chromium
PATH=$PWD/empty refuses "a browser that fails" 1 "chromium, printing the page: .*ended with code 5: no display" \
  "$vocabench" report results --output kept.pdf
printf '#!/bin/sh\nexit 0\n' >empty/chromium
PATH=$PWD/empty refuses "a browser that prints nothing" 1 "chromium ended well and wrote no PDF" \
  "$vocabench" report results --output kept.pdf
{ echo '#!/bin/sh'
  echo 'printf "%%PDF-1.4 and no more, though it is long enough to be looked at by whoever reads its end" >page.pdf'
} >empty/chromium
PATH=$PWD/empty refuses "half a PDF" 1 "expected a whole PDF of chromium" "$vocabench" report results --output kept.pdf
same "a PDF that was there stays as it was" page.html kept.pdf
equal "and nothing is left behind" "$(find kept-data -name 'page.*' -o -name 'profile*')" "" "$(ls kept-data)"
for n in 1 3 10 30 100 300; do
  VOCABENCH_FAULT=alloc:$n:ENOMEM refuses "no memory at allocation $n" 8 "no memory" \
    "$vocabench" report results --output memory.html
done

# ---- in a browser ---------------------------------------------------------------------------------------------------
browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then skip "the page in a browser" "chromium is not installed"; finish; fi
chrome() {
  timeout 60 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync --hide-scrollbars \
    --disable-background-networking --disable-component-update \
    --user-data-dir="$scratch/profile" --allow-file-access-from-files --enable-logging=stderr --window-size=1700,3000 "$@"
}
# Pictures too: those that a run with images gives, drawn by nobody but the test.
$python - page.html measured.html <<'P'
import base64, io, sys
from PIL import Image
picture = io.BytesIO()
Image.new("RGB", (112, 80), (200, 30, 60)).save(picture, "JPEG")
text = base64.b64encode(picture.getvalue()).decode()
images = "".join(f'<li><img width="112" height="80" alt="n: {i}" src="data:image/jpeg;base64,{text}"></li>' for i in range(6))
section = f'<div class="targets"><section class="target"><h4>t</h4><p><b>n</b> takes 6</p><ul>{images}</ul></section></div>'
page = open(sys.argv[1], encoding="utf-8").read()
page = page.replace("</main>", section + "</main>").replace("</body>", '<script src="measure.js"></script></body>')
open(sys.argv[2], "w", encoding="utf-8").write(page)
P
# This copy of the page measures itself: its width, figures, pictures, and the least contrast of text.
cat >measure.js <<'J'
function light(colour) {
  var c = colour.match(/[\d.]+/g).slice(0, 3).map(function (v) {
    v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
}
addEventListener("load", function () {
  var root = document.documentElement, svgs = document.querySelectorAll("figure svg"), images = document.querySelectorAll("img");
  var drawn = 0, loaded = 0, least = 21, page = light(getComputedStyle(document.body).backgroundColor);
  svgs.forEach(function (svg) { var box = svg.getBoundingClientRect(); if (box.width >= 300 && box.height >= 100) drawn++; });
  images.forEach(function (image) { var box = image.getBoundingClientRect();
    if (image.complete && image.naturalWidth > 0 && box.width >= 40 && box.right <= innerWidth) loaded++; });
  document.querySelectorAll("p, td, th, h1, h2, h3, h4, dd, dt, a, figcaption, small, caption").forEach(function (element) {
    var own = light(getComputedStyle(element).color);
    least = Math.min(least, (Math.max(own, page) + 0.05) / (Math.min(own, page) + 0.05));
  });
  document.body.dataset.measured = [root.scrollWidth, innerWidth, drawn, "of", svgs.length, loaded, "of", images.length,
    least >= 4.5 ? "legible" : "contrast " + least.toFixed(2), page < 0.2 ? "dark" : "light"].join(" ");
});
J
# Another copy is clicked: heads sort, down and up and by words; a filter hides rows; a result unfolds.
$python - page.html clicked.html <<'P'
import sys
page = open(sys.argv[1], encoding="utf-8").read()
open(sys.argv[2], "w", encoding="utf-8").write(page.replace("</body>", '<script src="click.js"></script></body>'))
P
cat >click.js <<'J'
var found = [], tables = Array.from(document.querySelectorAll("table"));
function find(least, head) { return tables.find(function (t) {
  return t.tBodies[0].rows.length >= least && t.tHead.rows[0].querySelector(head); }); }
var table = find(3, "th:not(.word)"), long = find(12, "th");
function column(t, c) { return Array.from(t.tBodies[0].rows).filter(function (r) { return !r.hidden; }).map(function (r) {
  return r.cells[c].textContent; }); }
function ordered(list, before) { return list.every(function (x, i) { return !i || !before(x, list[i - 1]); }); }
function numbers(c) { return column(table, c).map(parseFloat).filter(function (x) { return !isNaN(x); }); }
var heads = Array.from(table.tHead.rows[0].cells), words = heads[0].querySelector("button"), all = column(table, 0).length;
var last = heads.findIndex(function (head) { return !head.classList.contains("word"); });
words.focus(); found.push(document.activeElement === words ? "focus" : "no focus");
words.click(); found.push(heads[0].getAttribute("aria-sort"),
  ordered(column(table, 0), function (a, b) { return a.localeCompare(b) < 0; }));
heads[last].querySelector("button").click(); found.push(heads[last].getAttribute("aria-sort"), heads[0].getAttribute("aria-sort"),
  ordered(numbers(last), function (a, b) { return a > b; }), numbers(last).length > 1);
heads[last].querySelector("button").click(); found.push(heads[last].getAttribute("aria-sort"),
  ordered(numbers(last), function (a, b) { return a < b; }), column(table, 0).length === all);
var input = long.parentElement.previousElementSibling.querySelector("input"), rows = column(long, 0).length;
input.value = column(long, 0)[3]; input.dispatchEvent(new Event("input"));
found.push(column(long, 0).length > 0 && column(long, 0).length < rows, input.getAttribute("aria-label").length > 13);
input.value = ""; input.dispatchEvent(new Event("input")); found.push(column(long, 0).length === rows);
var result = document.querySelector("details.result"); found.push(result.open); result.querySelector("summary").click();
found.push(result.open);
// A scatter, a curve, bars: the pointer over a value and arrow keys tell it, Escape and leaving hide it.
var tip = document.querySelector(".tip"), told = 0, figures = Array.from(document.querySelectorAll("figure svg")).filter(
  function (svg) { return svg.querySelector(".mark"); });
document.querySelectorAll("details").forEach(function (part) { part.open = true; });
figures.forEach(function (svg) {
  var marks = svg.querySelectorAll(".mark"), last = marks[marks.length - 1], box = last.getBoundingClientRect();
  svg.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2}));
  told += !tip.hidden && /[0-9]/.test(tip.textContent) && !!svg.querySelector(".ring");
  svg.dispatchEvent(new PointerEvent("pointerleave"));
  told += tip.hidden && !svg.querySelector(".ring");
});
found.push(figures.length > 4 && told === 2 * figures.length, tip.getAttribute("role"));
var frame = figures[0].parentElement, first = figures[0].querySelectorAll(".mark");
function key(name) { frame.dispatchEvent(new KeyboardEvent("keydown", {key: name})); }
frame.focus(); found.push(document.activeElement === frame, frame.getAttribute("aria-description") !== null);
key("ArrowRight"); found.push(tip.textContent === first[0].dataset.value);
key("ArrowRight"); found.push(tip.textContent === first[1].dataset.value);
key("End"); found.push(tip.textContent === first[first.length - 1].dataset.value);
key("ArrowRight"); key("Home"); found.push(tip.textContent === first[0].dataset.value);
key("Escape"); found.push(tip.hidden);
document.body.dataset.clicked = found.join(" ");
J
chrome --virtual-time-budget=3000 --dump-dom "file://$scratch/clicked.html" >dom 2>log
equal "heads sort, filters hide, results unfold, figures tell their values" \
  "$(sed -n 's/.*<body[^>]*data-clicked="\([^"]*\)".*/\1/p' dom)" \
  "focus ascending true descending  true true ascending true true true true true false true$( \
    printf ' %s' true status true{,,,,,,})" "$(grep CONSOLE log)"

for theme in light dark; do
  scheme=1; [ $theme = light ] || scheme=0
  for width in 400 1600; do
    # Headless windows are not narrower than 500: a frame is. It hands on what the page measures.
    cat >frame.html <<E
<!DOCTYPE html><title>frame</title><meta name="color-scheme" content="light dark"><body style="margin:0">
<iframe src="measured.html" style="border:0;width:${width}px;height:3000px"
  onload="setTimeout(() => document.body.dataset.measured = this.contentDocument.body.dataset.measured, 100)"></iframe>
E
    chrome --blink-settings=preferredColorScheme=$scheme --screenshot="$scratch/$width.png" "file://$scratch/frame.html" >log 2>&1
    [ -s "$width.png" ] && [ "$(stat -c %s "$width.png")" -gt 40000 ]
    verdict $? "$theme, $width wide: a picture" "$(tail -n 5 log)"
    unlike "$theme, $width wide: no errors on the console" CONSOLE log
    chrome --blink-settings=preferredColorScheme=$scheme \
      --virtual-time-budget=3000 --dump-dom "file://$scratch/frame.html" >dom 2>/dev/null
    measured=$(sed -n 's/.*<body[^>]*data-measured="\([^"]*\)".*/\1/p' dom)
    equal "$theme, $width wide: nothing sticks out, all figures and pictures drawn, all text legible" \
      "$measured" "$width $width 15 of 15 6 of 6 legible $theme"
  done
done

# ---- PDF ------------------------------------------------------------------------------------------------------------
"$vocabench" report results --output printed.pdf >log 2>err; code=$?
[ $code = 0 ] && grep -q '^report: printed.pdf (15 figures' log && [ "$(head -c 5 printed.pdf)" = "%PDF-" ]
verdict $? "PDF" "code $code" "$(cat log err)"
equal "PDF leaves nothing behind" "$(find printed-data -name 'page.*' -o -name 'profile*')" "" "$(ls printed-data)"
if command -v pdftotext >/dev/null; then
  pdftotext -layout printed.pdf printed.txt
  missing=''
  # Of every table, also those that the page keeps folded, and of the figures.
  for text in '<script>alert(1)</script>' 'Acc-E' \
      "$(jq -r '.results[0].acc_c * 10000 | round / 100' results/results.json | sed 's/\..*/./')" \
    'Adversarial vocabularies' 'By vocabulary' 'configuration_digest' 'foreign vocabularies added' 'a <script>caption'; do
    grep -qF -- "$text" printed.txt || missing+="$text; "
  done
  equal "the PDF holds tables and figures as text" "$missing" ""
  pdfinfo printed.pdf >info && grep -q 'Page size:.*A4' info && [ "$(sed -n 's/^Pages: *//p' info)" -gt 2 ]
  verdict $? "A4 pages" "$(cat info)"
else skip "text of the PDF" "poppler-utils is not installed"; fi
finish
