"""Checks a report page with Python's own HTML parser: check_page.py PAGE FOLDER. Prints what is wrong, one line each.

Whole and nested as HTML wants it, ids once, every link leads somewhere, nothing from the network, one script without attributes, every figure drawn and
described, every table captioned, headings without gaps."""
import html.parser
import os
import sys
import urllib.parse

VOID = {"meta", "link", "br", "hr", "img", "input"}
wrong = []


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.levels, self.named = [], [], [], [], []
        self.figures, self.tables, self.captions, self.scripts, self.text = [], 0, 0, 0, []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "img" and not (attributes.get("alt") and attributes.get("src", "").startswith("data:image/jpeg;base64,")):
            wrong.append(f"a picture from elsewhere, or without a description: {self.get_starttag_text()[:80]}")
        self.scripts += tag == "script" and not attributes
        if tag in ("iframe", "object") or tag == "script" and attributes or any(name.startswith("on") for name in attributes):
            wrong.append(f"<{tag}> or a handler: {self.get_starttag_text()[:80]}")
        for name in ("href", "xlink:href"):
            if name in attributes:
                self.links.append(attributes[name])
        if tag in ("h1", "h2", "h3", "h4"):
            self.levels.append(int(tag[1]))
        if tag == "figure":
            self.figures.append({"svg": 0, "shapes": 0, "title": "", "desc": "", "caption": ""})
        if tag == "svg":
            if attributes.get("role") != "img" or "aria-labelledby" not in attributes or "viewbox" not in attributes:
                wrong.append("an svg without role, label or viewBox")
            self.named += attributes.get("aria-labelledby", "").split()
            self.figures[-1]["svg"] += 1
        if tag in ("path", "polygon", "circle", "use", "rect") and "svg" in self.open:
            self.figures[-1]["shapes"] += 1
        self.tables += tag == "table"
        self.captions += tag == "caption"

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            wrong.append(f"line {self.getpos()[0]}: </{tag}> within {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.text.append(data)
        if "figure" in self.open:
            for tag, key in (("title", "title"), ("desc", "desc"), ("figcaption", "caption")):
                if tag in self.open:
                    self.figures[-1][key] += data


page = Page()
source = open(sys.argv[1], encoding="utf-8").read()
page.feed(source)
page.close()
if page.open:
    wrong.append(f"not closed: {page.open}")
wrong += [f"id {name} occurs twice" for name in set(page.ids) if page.ids.count(name) > 1]
wrong += [f"nothing has the id {name}" for name in page.named if name not in page.ids]
for link in page.links:
    if link.startswith("#"):
        if link[1:] not in page.ids:
            wrong.append(f"{link} leads nowhere")
    elif link != "data:," and not os.path.isfile(os.path.join(sys.argv[2], urllib.parse.unquote(link))):
        wrong.append(f"{link} is no file")
if "http:" in source.replace("http://www.w3.org/", "") or "https:" in source or "@import" in source or "url(" in source:
    wrong.append("something comes from elsewhere")
for number, figure in enumerate(page.figures):
    if figure["svg"] != 1 or figure["shapes"] < 3 or not figure["title"] or len(figure["desc"]) < 20 or not figure["caption"]:
        wrong.append(f"figure {number} is not whole: {figure}")
if page.scripts != 1:  # its own
    wrong.append(f"{page.scripts} scripts")
if page.tables != page.captions or not page.tables:
    wrong.append(f"{page.tables} tables, {page.captions} captions")
if page.levels[:2] != [1, 2] or page.levels.count(1) != 1 or any(b > a + 1 for a, b in zip(page.levels, page.levels[1:])):
    wrong.append(f"headings: {page.levels}")
print("\n".join(wrong) if wrong else f"{len(page.figures)} figures")
sys.exit(bool(wrong))
