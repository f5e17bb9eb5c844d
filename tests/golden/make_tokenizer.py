#!/usr/bin/env python3
"""Writes tests/golden/tokenizer.json: difficult texts, their clean form and their ids, from Python's own pieces.

Usage: make_tokenizer.py bpe_simple_vocab_16e6.txt.gz
Made with Python 3.11, ftfy 6.3.1 and regex 2022.8.17 (Unicode 14, as PCRE2 10.42). Run it from the repository's root."""
import gzip
import html
import html.entities
import json
import random
import sys

import ftfy
import regex

PATTERN = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE)
START, END = "<|startoftext|>", "<|endoftext|>"


def clean(text):
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return regex.sub(r"\s+", " ", text).strip().lower()


class Tokenizer:
    def __init__(self, merges):
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [b for b in range(256) if b not in printable]
        self.letters = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
        pairs = [tuple(line.split()) for line in merges.split("\n")[1:48895] if line]
        vocabulary = list(self.letters.values())
        vocabulary += [v + "</w>" for v in vocabulary] + ["".join(p) for p in pairs] + [START, END]
        self.ids = {token: i for i, token in enumerate(vocabulary)}
        self.ranks = {pair: i for i, pair in enumerate(pairs)}

    def word(self, word):
        if word in (START, END):
            return [word]
        pieces = [self.letters[b] for b in word.encode()]
        pieces[-1] += "</w>"
        while True:
            ranked = [(self.ranks[p], p) for p in zip(pieces, pieces[1:]) if p in self.ranks]
            if not ranked:
                return pieces
            best, merged, i = min(ranked)[1], [], 0
            while i < len(pieces):
                step = 2 if tuple(pieces[i:i + 2]) == best else 1
                merged.append("".join(pieces[i:i + step]))
                i += step
            pieces = merged

    def encode(self, cleaned, context=77):
        ids = [self.ids[START]] + [self.ids[p] for w in PATTERN.findall(cleaned) for p in self.word(w)] + [self.ids[END]]
        return ids if len(ids) <= context else ids[:context - 1] + [self.ids[END]]


HAND = [
    "", " ", "a", "\t\n", "a photo of a  Golden   Retriever.", "It's 10:45 & the dogs'll bark -- LOUDLY!!  (really?)",
    "naïve café façade, 東京タワー 🗼 and Größe", "we've I'd they're he'll I'm can't 'S 'T 'ſ", "ΟΔΥΣΣΕΥΣ ΣΊΣΥΦΟΣ Σ ΑΣ. ΑΣ'Α ΑΣ\u0301Β",
    "İstanbul IĞDIR ıI", "<|startoftext|>hello<|endoftext|> again <|ENDOFTEXT|> <|mask|> <|ſtartoftext|>", "x" * 200,
    "1234567890 ²³ Ⅷ ½ ٣٤", "\u0345 a\u0345b !\u0345?", "a\u180eb !\u180e", "&lt;b&gt;html&amp;amp; entities&lt;/b&gt;",
    "&amp;amp;amp;amp;lt;", "<b>&eacute;&EACUTE;&AMP;</b>", "P&EACUTE;REZ &NTILDE; &nTILDE; &SZLIG; &FFLIG; &NAPOS;",
    "&notit; &notin; &not &copy2 &COPY; &CounterClockwiseContourIntegral;", "&#65;&#x41;&#X41; &#x1f600; &#128512",
    "&#150; &#0; &#x110000; &#55296; &#xfffe; &#1; &#59; &#x3b; &#12ab;",
    "&#99999999999999999999; & &; &# &#; &#x; &#xg; &ampere;", "first &amp; line\n<i>second</i> &amp; &LAMBDA;\nthird &LAMBDA;",
    "& " * 3 + "&" * 5, "“double” ‘single’ ‚low‛ „low‟ ʼn ŉ", "ﬁ ﬂ ﬀ ﬃ ﬄ ﬅ ﬆ Ĳ ĳ Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ æ œ",
    "ＬＯＵＤ　ＮＯＩＳＥＳ ﾊﾟｿｺﾝ ￡￢￣￤￥ ＆ａｍｐ；", "ﾡ￣ ｢ﾃ｣ ￠ ￨ ￮",
    "e\u0301 o\u0302\u0323 \u1112\u1161\u11ab \u0958 \u2126 \u212b \ufb1d q\u0307\u0323",
    "\x1b[31mred\x1b[0m \x1b[1;٣m \x1b[x \x1b[", "a\rb\r\nc\u2028d\u2029e\x85f\x0bg\x0ch",
    "\ufeffbom \ufffc\ufff9 \u206a \u200bzero\u200dwidth \u00adsoft", "\x01\x02\x7f\x1c\x1d\x1e\x1f\x80\x81\x9d",
    "\xa0\u2003\u3000\u205f\u1680 spaces \xa0", "sÃ³", "schÃ¶n", "âœ” No problems", "voilÃ le travail",
    "à la Ã la mode Ã s vezes", "â€œquotesâ€\x9d and â€˜moreâ€™", "â€œ like this â€�", "ÃƒÂ©", "l’Humanité â€¦ Ãª", "Ã¢â‚¬â„¢",
    "РїСЂРёРІРµС‚ РјРёСЂ", "ПІРёРІР°", "Î•Î»Î»Î¬Î´Î±", "Å‚Ã³dÅº", "æ—¥æœ¬èªž", "√© ‚Äú MacRoman ‚Äù", "├⌐ ΓÇ£cp437ΓÇ¥", "ðŸ˜€",
    "í\xa0½í¸\x80", "Ã\xa0 À\x80", "×‘×”×•×“×¢×”", "Ã±andÃº â‚¬5 Â½ Â°C Â£3", "Ãº Ó", "Â  Â ", "AÂ B. Â “", "Ø§Ù„Ø¹Ø±Ø¨ÙŠØ©",
    "à¤¹à¤¿à¤¨à¥\x8dà¤¦à¥€", "(°ω°) ÒωÓ ┬─┬ ノ( ゜-゜ノ) ¯\\_(ツ)_/¯", "œuvre Œ1 cœur",
    "Señor Müller – Straße „Nr. 5“ • §12 ¶ ©2020 ®™ 5€ £3 ¥", "👨‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ ☃ 𝒳𝔘 𐐀𐐨 \U000e0067",
    "العربية עִבְרִית हिन्दी ไทย 한국어 中文 日本語", "ⒶⓐⅣⅳ ǅ ẞ ß ſ K Å ª º ǰ ΐ ᾳ",
]


def generated(seed):
    rng = random.Random(seed)
    words = ("café naïve straße Größe 東京 日本語 Привет мир Ελλάδα ΣΊΣΥΦΟΣ עברית العربية ไทย 한국어 हिन्दी “quote” it’s — … €5 ½ ™ "
             "🗼 ñandú İstanbul œuvre Łódź žluťoučký ąęś hello World’s – • 😀 𝒳 &amp; à").split()
    encodings = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253",
                 "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]
    for n in range(150):
        text = " ".join(rng.choice(words) for _ in range(rng.randrange(1, 4)))
        for _ in range(rng.choice([1, 1, 1, 2])):
            data = text.encode()
            if rng.random() < 0.15:
                data = data.replace(b"\xa0", b" ")
            text = data.decode(encodings[n % 10])
            if rng.random() < 0.2:
                at = rng.randrange(len(text))
                text = text[:at] + rng.choice("\ufffd? \n") + text[at + 1:]
        yield rng.choice(words) + " " + text if n % 3 == 0 else text
    names = ["&" + n for n in html.entities.html5]
    for i in range(0, len(names), 60):
        yield " ".join(names[i:i + 60])
    planes = [(32, 127), (0x80, 0x250), (0x2b0, 0x400), (0x400, 0x530), (0x590, 0x700), (0x900, 0x980), (0x1e00, 0x2100),
              (0x2100, 0x2600), (0x3000, 0x3100), (0x4e00, 0x9fff), (0xac00, 0xd7a4), (0xfb00, 0xfb50), (0xff00, 0xfff0),
              (0x1d400, 0x1d800), (0x1f300, 0x1fa00)]
    for _ in range(150):
        yield "".join(chr(rng.randrange(*rng.choice(planes))) for _ in range(rng.randrange(1, 25)))


def main():
    merges = gzip.open(sys.argv[1]).read().decode()
    short = "\n".join(merges.split("\n")[:301]) + "\n"
    openai, small = Tokenizer(merges), Tokenizer(short)
    rows = []
    for text in HAND + list(generated(42)):
        cleaned = clean(text)
        rows.append([text, cleaned, openai.encode(cleaned), small.encode(cleaned, 40)])
    with open("tests/golden/tokenizer.json", "w", encoding="ascii") as f:
        f.write('{"merges": %s,\n "rows": [\n' % json.dumps(short))
        f.write(",\n".join(json.dumps(r, separators=(",", ":")) for r in rows))
        f.write("\n]}\n")


main()
