// @ts-check
// What the page says and offers: counts, switches, buttons.
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
  showPython();
  showSelected();
  window.clearTimeout(listing);
  listing = window.setTimeout(listStrongest, 80);
  redraw({ lines: true, moving: true });
}

function showCounts() {
  const { stages, counts, passed } = selection;
  for (const [name, count] of stages) count_(name, count);
  const agree = counts[AGREES] + counts[WON];
  /** @type {[string, number][]} */
  const others = [["passed", passed.length], ["agree", agree], ["unknown", counts[UNKNOWN]],
    ["rejected", counts[REJECTED]], ["own", counts[AGREES]], ["guided", counts[WON]]];
  for (const [name, count] of others) count_(name, count);
  showStages();
  const what = PAGE.kind === "pair" ? "match" : "keypoint";
  const judged = PAGE.geometry ? `: ${agree} agree, ${counts[REJECTED]} rejected` : "";
  say(`${counted(passed.length, what)} pass${passed.length === 1 ? "es" : ""}${judged}.`);
  byId("nothing").hidden = selection.shown.length > 0;
}

/** Of the funnel only the stages that filter; the last one of a photo counts what is shown. */
function showStages() {
  for (const element of byId("funnel").querySelectorAll("[data-stage]")) {
    const stage = /** @type {HTMLElement} */ (element);
    const name = stage.dataset.stage === "strongest" ? "most" : stage.dataset.stage;
    if (name === "most" && PAGE.kind === "photo") continue;
    const threshold = new Map(Object.entries(state.thresholds)).get(name ?? "");
    stage.hidden = threshold === null || threshold === false;
  }
}

/**
 * @param {number} count
 * @param {string} noun
 */
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
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

/** Lay the photos out anew: the window, or what is shown, has another size. */
function relayOut() {
  const before = state.views.length && !atHome() ? homes() : null;
  const stacked = layOut();
  fitLayers();
  if (before) keepPlaces(before);
  else goHome();
  placePatches(stacked);
  letScroll();
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
  showSelected();
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
    unselect, reset: resetThresholds, copy: copyPython,
  };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);
}

function resetThresholds() {
  state.thresholds = { ...PAGE.thresholds };
  const mutual = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-switch=mutual]"));
  if (mutual) mutual.checked = state.thresholds.mutual;
  update();
}
