// Tables that sort at a click on a head and, when long, filter; figures that tell their values. The page is whole without this.
"use strict";
(function () {
  function number(cell) { return parseFloat(cell.textContent.replace("\u2212", "-")); }
  // Rows in the order of a column; what is no number comes last, equals stay as they were.
  function sorted(rows, column, words, up) {
    var sign = up ? 1 : -1;
    return rows.map(function (row, place) { return {row: row, cell: row.cells[column], place: place}; }).sort(function (a, b) {
      var order = 0;
      if (words) order = sign * a.cell.textContent.localeCompare(b.cell.textContent);
      else {
        var x = number(a.cell), y = number(b.cell);
        order = isNaN(x) || isNaN(y) ? isNaN(x) - isNaN(y) : sign * (x - y);
      }
      return order || a.place - b.place;
    });
  }
  function sortable(table, rows) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button"), words = head.classList.contains("word");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", function () {
        var before = head.getAttribute("aria-sort"), up = before ? before === "descending" : words;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        table.tBodies[0].append(...sorted(rows, column, words, up).map(function (entry) { return entry.row; }));
      });
    });
  }
  function filtered(table, rows) {
    var label = document.createElement("label"), input = document.createElement("input");
    input.type = "search";
    label.className = "filter";
    label.append("Filter rows ", input);
    input.setAttribute("aria-label", "Filter rows: " + (table.caption ? table.caption.textContent : "table"));
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase();
      rows.forEach(function (row) { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
    });
    table.parentElement.before(label);
  }
  // The value nearest to the pointer, or, with the figure in focus, the next one at an arrow key; read out by screen readers.
  var tip = document.createElement("div"), ring = document.createElementNS("http://www.w3.org/2000/svg", "circle"), reach = 40;
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  ring.setAttribute("class", "ring");
  ring.setAttribute("r", "7");
  function hide() { tip.hidden = true; ring.remove(); }
  function show(mark) {
    var box = mark.getBoundingClientRect(), right = document.documentElement.clientWidth;
    ring.setAttribute("cx", mark.getAttribute("cx"));
    ring.setAttribute("cy", mark.getAttribute("cy"));
    mark.after(ring);
    if (tip.textContent !== mark.dataset.value) tip.textContent = mark.dataset.value;
    tip.hidden = false;
    tip.style.left = Math.max(0, Math.min(box.right + 6, right - tip.offsetWidth - 8)) + scrollX + "px";
    tip.style.top = Math.max(0, box.top - tip.offsetHeight - 4) + scrollY + "px";
  }
  function nearest(marks, event) {
    var least = reach * reach, found = -1;
    marks.forEach(function (mark, place) {
      var box = mark.getBoundingClientRect(), x = box.left + box.width / 2 - event.clientX, y = box.top + box.height / 2 - event.clientY;
      if (x * x + y * y < least) { least = x * x + y * y; found = place; }
    });
    return found;
  }
  function pointed(svg) {
    var marks = Array.from(svg.querySelectorAll(".mark")), frame = svg.parentElement, at = -1;
    if (!marks.length) return;
    marks.forEach(function (mark) { // the tip takes the place of the browser's own
      mark.dataset.value = mark.textContent;
      mark.replaceChildren();
    });
    function go(place) {
      at = place;
      if (at < 0) hide(); else show(marks[at]);
    }
    frame.setAttribute("aria-description", "Arrow keys read the values");
    svg.addEventListener("pointermove", function (event) { go(nearest(marks, event)); });
    svg.addEventListener("pointerdown", function (event) { go(nearest(marks, event)); });
    svg.addEventListener("pointerleave", function () { go(-1); });
    frame.addEventListener("blur", function () { go(-1); });
    frame.addEventListener("keydown", function (event) {
      var last = marks.length - 1, to = {ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last,
        Escape: -1}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (to >= 0) marks[to].scrollIntoView({block: "nearest", inline: "nearest"});
      go(to);
    });
  }
  document.body.append(tip);
  document.querySelectorAll("figure svg").forEach(pointed);
  document.querySelectorAll("table").forEach(function (table) {
    var rows = table.tHead && table.tBodies[0] ? Array.from(table.tBodies[0].rows) : [];
    if (rows.length > 2) sortable(table, rows);
    if (rows.length > 11) filtered(table, rows);
  });
}());
