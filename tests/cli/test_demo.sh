#!/bin/bash
# The embedded demo: its pictures against Pillow's FreeType, its figures against PyTorch's (tests/demo/train.py evaluate) and at
# 1 and 2 ranks, of which tests/cli/test_golden.sh runs 2.
. "$(dirname "$0")/../lib.sh"
emoji=$build/tests/demo/emoji
font=/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf list=/usr/share/unicode/emoji/emoji-test.txt
cd "$scratch" || exit 1

# ---- the pictures -----------------------------------------------------------------------------------------------
check "emoji writes pictures and vocabularies" "$emoji" "$font" "$list" pictures
check "the pictures are Pillow's" /usr/bin/python3 - "$font" <<'EOF'
import glob, sys
import numpy as np
from PIL import Image, ImageDraw, ImageFont
font = ImageFont.truetype(sys.argv[1], 109)
paths = sorted(glob.glob("pictures/images/*/picture.png"))
assert len(paths) > 1300, len(paths)
def trim(picture):
    rows, columns = np.where((picture < 250).any(2))
    return picture[rows.min():rows.max() + 1, columns.min():columns.max() + 1].astype(int)
for path in paths[::7]:
    drawn = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(drawn).text((20, 20), chr(int(path.split("/")[2], 16)), font=font, embedded_color=True)
    ours, theirs = trim(np.asarray(Image.open(path))), trim(np.asarray(drawn))
    assert ours.shape == theirs.shape and abs(ours - theirs).max() <= 3, (path, ours.shape, theirs.shape)
EOF
# Every class has a picture, a name of the list, and a place in the subgroup where the list has it.
check "the vocabularies are the list's subgroups" /usr/bin/python3 - "$list" <<'EOF'
import collections, os, re, sys
subgroups, names, group = collections.OrderedDict(), {}, None
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("# subgroup:"):
        group = line.split(":")[1].strip()
    found = re.match(r"([0-9A-F]+)(?: FE0F)?\s*; fully-qualified\s*# \S+ E[0-9.]+ (.*)", line)
    if found:
        subgroups.setdefault(group, []).append((found[1], found[2]))
expected = {g: v for g, v in subgroups.items() if len(v) >= 5}
written, current = {}, None
for line in open("pictures/vocabularies.yaml", encoding="utf-8"):
    if re.match(r"  \S.*:$", line):
        current = written.setdefault(line.strip()[:-1], [])
    elif "id:" in line:
        current.append(re.match(r'    - \{id: "(\w+)", name: "(.*)"\}$', line).groups())
assert written == expected, (len(written), len(expected))
assert sorted(os.listdir("pictures/images")) == sorted(c for v in expected.values() for c, _ in v)
EOF
# rejects NAME PATTERN COMMAND...: one line on stderr that matches, and a code that is not 0.
rejects() {
  local name=$1 pattern=$2; shift 2
  ! "$@" >out 2>err && [ "$(wc -l <err)" = 1 ] && grep -qE "$pattern" err
  verdict $? "$name" "$(cat err)"
}
rejects "no font" '^emoji: nothing.ttf: not there' "$emoji" nothing.ttf "$list" o
head -c 100000 "$font" >short.ttf
rejects "half a font" '^emoji: short.ttf: ' "$emoji" short.ttf "$list" o
rejects "no list" '^emoji: nothing.txt: No such file' "$emoji" "$font" nothing.txt o
rejects "another list" "expected Unicode's emoji-test.txt" "$emoji" "$font" /usr/share/unicode/emoji/emoji-data.txt o
{ echo "# subgroup: x"; echo '1F600 ; fully-qualified # x E1.0 a "name"'; } >quote.txt
rejects "a name that is no YAML text" '^emoji: quote.txt:2: a name with' "$emoji" "$font" quote.txt o
sed "/subgroup: face-affection/,\$d" "$list" >few.txt
rejects "one subgroup" 'fewer than two subgroups' "$emoji" "$font" few.txt o
rejects "a folder that cannot be made" '^emoji: no/where: ' "$emoji" "$font" "$list" no/where

# ---- the figures ------------------------------------------------------------------------------------------------
# Paths stand in results as they were given.
mkdir -p results/demo && ln -s "$scratch/pictures" results/demo/emoji-pictures && ln -s "$here/configs" "$here/tests" .
run configs/experiments/emoji.yaml --output figures || finish
figures figures >figures.json
found=$(figures_text figures | sha256sum | cut -d' ' -f1)
equal "2 ranks give the bytes of 1" "$found  emoji: results.json" \
  "$(grep '  emoji: results.json$' "$here/tests/golden/digests.txt")"

# PyTorch computes in another order: an image or two whose classes are as good as equal may fall to the other side.
jq -n --slurpfile found figures.json --slurpfile expected "$here/tests/demo/model/expected.json" '
  def near(a; b; n): (a - b | fabs) <= n;
  [["emoji-rn", "one prompt"], ["emoji-rn-PE", "ensemble"]][] as [$model, $prompt]
  | ($found[0].results[] | select(.model == $model)) as $r | $expected[0][$prompt] as $e | $expected[0].images as $n
  | {model: $model, images: ($r.images == $n), all: near($r.top1_all * $n; $e.right_of_all; 1.5),
     c: near($r.acc_c; $e.acc_c; 0.003), e: near($r.acc_e; $e.acc_e; 0.003), s: near($r.acc_s; $e.acc_s; 0.003),
     far_above_chance: ($r.acc_c > 3 * $expected[0].chance_acc_c),
     below: ($r.acc_e < $r.acc_c - 0.05), repe: ($r.retrieval.results | length == 6), targets: ($r.adversarial | length == 87),
     found: [$r.acc_c, $r.acc_e, $r.acc_s, $r.top1_all], expected: $e}' >compared.json 2>&1
equal "Acc-C, Acc-E, Acc-S and all classes are PyTorch's; Acc-C far above chance, Acc-E below it" \
  "$(jq -s '[.[] | del(.model, .found, .expected) | all] | length == 2 and all' compared.json 2>&1)" true "$(cat compared.json)"
finish
