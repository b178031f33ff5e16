// @ts-check
// What the page says and offers: counts, switches, buttons, and the chosen thresholds as Python.
"use strict";

const SAID_MS = 400; // a screen reader is told once a slider rests
let saying = 0;
let listing = 0;

/**
 * Tell a screen reader.
 * @param {string} sentence
 */
function say(sentence) {
  window.clearTimeout(saying);
  saying = window.setTimeout(() => {
    byId("said").textContent = sentence;
  }, SAID_MS);
}

/**
 * Count again and show what has changed.
 * @param {HTMLInputElement} [typed] a field that must keep what is being typed in it
 */
function update(typed) {
  selection = select(state.thresholds, state.show);
  COLOURINGS.clear();
  showSliders(typed);
  showCounts();
  showLegend();
  byId("code").textContent = pythonLine();
  window.clearTimeout(listing);
  listing = window.setTimeout(listStrongest, 80);
  redraw({ lines: true, moving: true });
}

function showCounts() {
  const { stages, counts, guided, passed } = selection;
  for (const [name, count] of stages) count_(name, count);
  count_("guided", guided);
  count_("unknown", counts[UNKNOWN]);
  count_("rejected", counts[REJECTED]);
  count_("agree", counts[AGREES]);
  count_("passed", passed.length);
  const mutual = byId("funnel").querySelector("[data-stage=mutual]");
  if (mutual) /** @type {HTMLElement} */ (mutual).hidden = !state.thresholds.mutual;
  const what = PAGE.kind === "pair" ? "matches" : "keypoints";
  const judged = PAGE.geometry ? `: ${counts[AGREES]} agree, ${counts[REJECTED]} rejected` : "";
  say(`${passed.length} ${what} pass${judged}.`);
  byId("nothing").hidden = selection.shown.length > 0;
}

/**
 * @param {string} stage
 * @param {number} count
 */
function count_(stage, count) {
  for (const place of document.querySelectorAll(`[data-stage=${stage}] b`)) place.textContent = String(count);
}

function showLegend() {
  const legend = byId("legend");
  const colouring = state.colour === "inlier" ? null : coloured(state.colour);
  legend.hidden = !colouring;
  if (!colouring) return;
  const [first, bar, last] = [...legend.children];
  first.textContent = colouring.first;
  last.textContent = colouring.last;
  /** @type {HTMLElement} */ (bar).style.background = `linear-gradient(to right, ${PAGE.palette.graded.join(",")})`;
}

/** The thresholds as the one line of Python that gives the same matches. */
function pythonLine() {
  const { mutual, ratio, distance, score, size, most } = state.thresholds;
  const options = [ratio === null || !ROWS.ratio ? "" : `ratio=${ratio}`,
    distance === null || !ROWS.distance ? "" : `max_distance=${distance}`].filter(Boolean).join(", ");
  const name = PAGE.kind === "pair" ? "matches" : "features";
  let line = name === "features" ? "features" : "result.candidates";
  const conditions = [["score", score], ["size", size]].filter(([, value]) => value !== null);
  for (const [what, value] of conditions) line = `${line}[${line}.${what} >= ${value}]`;
  if (name === "matches" && mutual && ROWS.mutual) {
    line = `tiepoint.match_features(result.features0, result.features1${options ? `, ${options}` : ""})`;
  } else if (options) {
    line += `.where(${options})`;
  }
  if (most !== null) line += `.strongest(${most})`;
  return `${name} = ${line}`;
}

async function copyCode() {
  const text = byId("code").textContent ?? "";
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A frame in a notebook has no clipboard: the line is selected, and the old command tried.
    window.getSelection()?.selectAllChildren(byId("code"));
    done = document.execCommand("copy");
  }
  byId("copied").textContent = done ? "Copied." : "Selected: copy it with Ctrl+C.";
}

/** Lay the photos out anew: the window, or what is shown, has another size. */
function relayOut() {
  const home = !state.views.length || atHome();
  const stacked = layOut();
  fitLayers();
  if (home || state.flicker !== "off") goHome();
  STAGE.classList.toggle("stacked", stacked);
  for (const [photo, panel] of state.panels.entries()) {
    const caption = byId(`caption${photo}`);
    caption.hidden = !seenPanels().includes(photo);
    caption.style.left = `${panel.left}px`;
    caption.style.top = `${panel.top}px`;
    caption.style.maxWidth = `${panel.width}px`;
    if (state.flicker === "off") caption.textContent = `${"AB"[photo]}  ${PAGE.photos[photo].name}`;
  }
  if (PAGE.photos.length < 2) byId("caption0").textContent = PAGE.photos[0].name;
  showSliders();
  redraw({ photos: true });
}

/** @param {HTMLInputElement} box */
function switched(box) {
  const name = /** @type {string} */ (box.dataset.switch);
  if (name === "mutual") state.thresholds.mutual = box.checked;
  else if (name === "follow") {
    state.follow = box.checked;
    if (box.checked) show(state.leader, state.views[state.leader]);
    redraw({ photos: true });
  } else Object.assign(state.show, { [name]: box.checked });
  update();
}

function connect() {
  for (const box of document.querySelectorAll("[data-slider]")) addSlider(/** @type {HTMLElement} */ (box));
  for (const element of document.querySelectorAll("input[data-switch]")) {
    const box = /** @type {HTMLInputElement} */ (element);
    box.addEventListener("change", () => switched(box));
  }
  const colour = /** @type {HTMLSelectElement} */ (byId("colour"));
  colour.addEventListener("change", () => {
    state.colour = colour.value;
    showLegend();
    redraw({ lines: true });
  });
  /** @type {Record<string, () => void>} */
  const buttons = {
    fit, "zoom-in": () => zoomMiddle(1.4), "zoom-out": () => zoomMiddle(1 / 1.4), previous: () => step(-1),
    next: () => step(1), flicker: () => setFlicker(state.flicker === "off"), swap: swapPhotos,
    unselect: () => pick(-1, false), reset: resetThresholds, copy: copyCode,
  };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);
}

function resetThresholds() {
  state.thresholds = { ...PAGE.thresholds };
  const mutual = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-switch=mutual]"));
  if (mutual) mutual.checked = state.thresholds.mutual;
  update();
}
