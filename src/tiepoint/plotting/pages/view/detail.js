// @ts-check
// The selected match: both patches in the frames of their keypoints, and its numbers; and the list to choose from.
"use strict";

const PATCH = 176; // pixels of CSS, at most
const LISTED = 12;
const AROUND = 4; // a patch is so many times as wide as its keypoint
const NO_SIZE = 16; // diameter in pixels of the photo, where a keypoint has none

/**
 * Select a row, or none.
 * @param {number} row
 * @param {boolean} zooming
 */
function pick(row, zooming) {
  state.selected = row;
  if (row >= 0) {
    if (zooming) zoomTo(row);
    say(`${PAGE.kind === "pair" ? "Match" : "Keypoint"} ${rankOf(row)}: ${verdictOf(row)}`);
    // Who chose from the list below must see what was chosen, and the patches lie at the stage's lower edge.
    STAGE.scrollIntoView({ block: "nearest" });
  }
  showSelected();
  markListed();
  moved();
}

/** What is told and shown of the selected row; the thresholds may have changed what there is to say. */
function showSelected() {
  const row = state.selected;
  byId("selected").hidden = row < 0;
  for (const photo of PAGE.photos.keys()) byId(`patched${photo}`).hidden = row < 0 || state.flicker !== "off";
  if (row < 0) return;
  showPatches(row);
  showNumbers(row);
}

function unselect() {
  pick(-1, false);
  // The button is gone; whoever works with keys goes on with the photos.
  STAGE.focus({ preventScroll: true });
}

/** Put both patches side by side over the photos, where no end of a selected match is. */
function placePatches(/** @type {boolean} */ stacked) {
  for (const [photo, { left, top, width, height }] of state.panels.entries()) {
    const side = Math.round(Math.min(PATCH, 0.42 * height, 0.34 * width));
    const above = stacked && photo === 1;
    const box = byId(`patched${photo}`);
    box.style.width = box.style.height = `${side}px`;
    box.style.left = `${left + (photo === 0 || stacked ? width - side : 0)}px`;
    box.style.top = `${top + (above ? 0 : height - side)}px`;
  }
}

/**
 * The next or the previous of those shown.
 * @param {number} by
 */
function step(by) {
  const { shown } = selection;
  if (!shown.length) return;
  const at = shown.indexOf(state.selected);
  pick(shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length], true);
}

/** @param {number} row */
function rankOf(row) {
  const at = selection.passed.indexOf(row);
  return at < 0 ? "that does not pass" : `${at + 1} of ${selection.passed.length}`;
}

/**
 * What the geometry says of a row, in words.
 * @param {number} row
 */
function verdictOf(row) {
  const { geometry } = PAGE;
  if (PAGE.kind === "photo") return `${short(ROWS.size[0]?.[row] ?? NaN)} pixels wide`;
  if (!geometry) return "nobody has looked for a geometry";
  if (!geometry.found) return "rejected: no geometry was found";
  const away = `${short(RESIDUAL[row])} px from the geometry`;
  if (ROWS.guided[row]) return `agrees, found by guided matching, ${away}`;
  if (ROWS.judged[row]) return `${STATE[row] === AGREES ? "agrees" : "rejected"}, ${away}`;
  return `${STATE[row] === AGREES ? "would agree" : "would be rejected"}, ${away}; it was filtered out before`;
}

/** @param {number} row */
function showPatches(row) {
  const sizes = ROWS.xy.map((_, photo) => ROWS.size[photo]?.[row] || NO_SIZE);
  ROWS.xy.forEach((xy, photo) => {
    const canvas = /** @type {HTMLCanvasElement} */ (byId(`patch${photo}`));
    const density = Math.min(3, window.devicePixelRatio || 1);
    canvas.width = canvas.height = Math.round(PATCH * density);
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const side = AROUND * sizes[photo];
    const angle = ROWS.angle[photo]?.[row] ?? 0;
    pen.fillStyle = "#0c0d0f";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.translate(canvas.width / 2, canvas.height / 2);
    pen.save();
    pen.rotate((-angle * Math.PI) / 180);
    const scale = canvas.width / side;
    pen.scale(scale, scale);
    pen.translate(-(xy[2 * row] + 0.5), -(xy[2 * row + 1] + 0.5));
    const { width, height } = PAGE.photos[photo];
    pen.drawImage(levelFor(photo, scale), 0, 0, width, height);
    pen.restore();
    const frame = new Path2D();
    keypoint(frame, { x: 0, y: 0 }, canvas.width / AROUND / 2, ROWS.angle[photo] ? 0 : undefined);
    rimmed(pen, frame, colourOf(row), 1.6 * density);
  });
}

/** @param {number} row */
function showNumbers(row) {
  /** @type {[string, string][]} */
  const facts = [["geometry", verdictOf(row)]];
  if (PAGE.kind === "photo") facts.length = 0;
  ROWS.xy.forEach((xy, photo) => {
    const size = ROWS.size[photo]?.[row];
    const angle = ROWS.angle[photo]?.[row];
    let text = `(${xy[2 * row].toFixed(1)}, ${xy[2 * row + 1].toFixed(1)})`;
    if (size !== undefined && !Number.isNaN(size)) text += `, ${short(size)} px wide`;
    if (angle !== undefined && !Number.isNaN(angle)) text += `, ${angle.toFixed(0)}°`;
    facts.push([PAGE.photos.length > 1 ? `in ${"AB"[photo]}` : "place", text]);
  });
  /** @type {[string, ArrayLike<number> | null][]} */
  const values = [["distance", ROWS.distance], ["second distance", ROWS.second], ["ratio", ROWS.ratio],
    ["score", ROWS.score]];
  for (const [name, numbers] of values) {
    if (numbers && !Number.isNaN(numbers[row])) facts.push([name, short(numbers[row])]);
  }
  if (PAGE.geometry?.found) facts.push(["residual", `${short(RESIDUAL[row])} px`]);
  if (ROWS.mutual && row < ROWS.candidates) facts.push(["nearest both ways", ROWS.mutual[row] ? "yes" : "no"]);
  if (!selection.passes[row]) facts.push(["thresholds", "does not pass"]);
  if (ROWS.methods.length) facts.push(["method", ROWS.methods[ROWS.method?.[row] ?? 0]]);
  const list = byId("numbers");
  list.replaceChildren(
    ...facts.map(([term, said]) => {
      const line = document.createElement("div");
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = term;
      dd.textContent = said;
      dd.dataset.fact = term;
      line.append(dt, dd);
      return line;
    }),
  );
}

/** The strongest of those shown, as a table with a button in each row. */
function listStrongest() {
  const body = byId("list");
  const value = /** @type {const} */ (["ratio", "score", "distance"]).find((name) => ROWS[name]) ?? null;
  const rows = Array.from(selection.shown.subarray(0, LISTED));
  body.replaceChildren(
    ...rows.map((row, at) => {
      const line = document.createElement("tr");
      line.dataset.row = String(row);
      const head = document.createElement("th");
      head.scope = "row";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Show ${at + 1}`;
      button.addEventListener("click", () => pick(row, true));
      head.append(button);
      const places = ROWS.xy.map((xy) => `${xy[2 * row].toFixed(0)}, ${xy[2 * row + 1].toFixed(0)}`);
      const last = PAGE.kind === "pair" ? [verdictOf(row)] : [short(ROWS.size[0]?.[row] ?? NaN)];
      const cells = [...places, value ? short(ROWS[value]?.[row] ?? NaN) : "", ...last];
      line.append(
        head,
        ...cells.map((text) => {
          const cell = document.createElement("td");
          cell.textContent = text;
          return cell;
        }),
      );
      return line;
    }),
  );
  markListed();
}

function markListed() {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (byId("list").querySelectorAll("tr"))) {
    line.toggleAttribute("aria-selected", false);
    if (line.dataset.row === String(state.selected)) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
  }
}
