// @ts-check
// A title of a column becomes a button that sorts by it: first the largest number, or the first name.
"use strict";

/**
 * @param {HTMLTableRowElement} row
 * @param {number} column
 * @returns {number | string}
 */
function sortedBy(row, column) {
  const cell = /** @type {HTMLTableCellElement} */ (row.cells[column]);
  return cell.dataset.value === undefined ? cell.innerText : Number(cell.dataset.value);
}

/**
 * Numbers by size, names by the alphabet; what has no number comes last, whichever way.
 * @param {number | string} a
 * @param {number | string} b
 * @param {number} sign
 */
function order(a, b, sign) {
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return sign * a.localeCompare(b, undefined, { numeric: true });
}

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const titles = [...(table.tHead?.rows[0].cells ?? [])];
  const body = table.tBodies[0];
  for (const [column, title] of titles.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...title.childNodes);
    title.append(button);
    button.addEventListener("click", () => {
      const rows = [...body.rows];
      const numbers = rows.some((row) => row.cells[column].dataset.value !== undefined);
      const before = title.getAttribute("aria-sort");
      const first = numbers ? "descending" : "ascending";
      const second = numbers ? "ascending" : "descending";
      const now = before === first ? second : first;
      for (const other of titles) other.removeAttribute("aria-sort");
      title.setAttribute("aria-sort", now);
      const sign = now === "ascending" ? 1 : -1;
      rows.sort((a, b) => order(sortedBy(a, column), sortedBy(b, column), sign));
      body.append(...rows);
    });
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  makeSortable(/** @type {HTMLTableElement} */ (table));
}
