// Tables that sort at a click on a head and, when long, filter. The page is whole without this.
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
  document.querySelectorAll("table").forEach(function (table) {
    var rows = table.tHead && table.tBodies[0] ? Array.from(table.tBodies[0].rows) : [];
    if (rows.length > 2) sortable(table, rows);
    if (rows.length > 11) filtered(table, rows);
  });
}());
