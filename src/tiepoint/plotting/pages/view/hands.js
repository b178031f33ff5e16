// @ts-check
// Mouse, fingers and keys.
"use strict";

const CLICK = 5; // pixels: what moves farther is dragged
const REACH = { mouse: 10, touch: 22 };
const SCROLLED_MS = 300; // who scrolls the page over the stage has not come to zoom
let scrolled = -Infinity;

/** @type {Map<number, Point & {startX: number, startY: number, photo: number}>} */
const fingers = new Map();
let dragged = false;

/**
 * @param {MouseEvent} event
 * @returns {Point} in the stage
 */
function place(event) {
  const { left, top } = STAGE.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

function moved() {
  letScroll();
  redraw({ photos: true, moving: true });
}

/** With the whole photo in view one finger scrolls the page; two zoom. */
function letScroll() {
  STAGE.style.touchAction = atHome() ? "pan-y" : "none";
}

document.addEventListener("scroll", (event) => {
  scrolled = event.timeStamp;
});

STAGE.addEventListener(
  "wheel",
  (event) => {
    const at = place(event);
    const photo = photoAt(at.x, at.y);
    if (photo < 0) return;
    if (event.timeStamp - scrolled < SCROLLED_MS && !event.ctrlKey) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    const factor = Math.exp(-Math.max(-240, Math.min(240, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.002));
    // Where nothing is left to zoom out the page scrolls.
    if (factor < 1 && atRest(photo) && !event.ctrlKey) return;
    event.preventDefault();
    zoom(photo, factor, at.x, at.y);
    moved();
  },
  { passive: false },
);

STAGE.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  const at = place(event);
  const photo = photoAt(at.x, at.y);
  if (photo < 0) return;
  STAGE.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, { ...at, startX: at.x, startY: at.y, photo });
  dragged = fingers.size > 1;
});

STAGE.addEventListener("pointermove", (event) => {
  const at = place(event);
  const finger = fingers.get(event.pointerId);
  if (!finger) {
    point(at);
    return;
  }
  const before = { x: finger.x, y: finger.y };
  if (fingers.size === 1) {
    if (!dragged && Math.hypot(at.x - finger.startX, at.y - finger.startY) < CLICK) return;
    dragged = true;
    Object.assign(finger, at);
    if (event.pointerType === "touch" && atHome()) return;
    pan(finger.photo, at.x - before.x, at.y - before.y);
  } else {
    dragged = true;
    const other = [...fingers.entries()].find(([id]) => id !== event.pointerId)?.[1] ?? finger;
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    Object.assign(finger, at);
    const now = Math.hypot(at.x - other.x, at.y - other.y);
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    if (apart > 0) zoom(finger.photo, now / apart, middle.x, middle.y);
    pan(finger.photo, (at.x - before.x) / 2, (at.y - before.y) / 2);
  }
  moved();
});

STAGE.addEventListener("pointerup", (event) => {
  const finger = fingers.get(event.pointerId);
  fingers.delete(event.pointerId);
  if (!finger || dragged || state.flicker !== "off") return;
  const at = place(event);
  pick(rowAt(at.x, at.y, event.pointerType === "touch" ? REACH.touch : REACH.mouse), true);
});
STAGE.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));

STAGE.addEventListener("pointerleave", () => {
  state.pointer = null;
  state.hovered = -1;
  redraw();
});

/**
 * Show what lies under the mouse, and its place in the other photo.
 * @param {Point} at
 */
function point(at) {
  const photo = photoAt(at.x, at.y);
  state.pointer = photo < 0 ? null : { ...fromStage(photo, at.x, at.y), photo };
  state.hovered = photo < 0 ? -1 : rowAt(at.x, at.y, REACH.mouse);
  STAGE.style.cursor = state.hovered >= 0 ? "pointer" : atHome() ? "default" : "grab";
  redraw();
}

/**
 * Zoom around the middle of the photo that was moved last.
 * @param {number} factor
 */
function zoomMiddle(factor) {
  const { left, top, width, height } = state.panels[state.leader];
  zoom(state.leader, factor, left + width / 2, top + height / 2);
  moved();
}

function fit() {
  goHome();
  moved();
}

/** @type {Record<string, () => void>} */
const KEYS = {
  "+": () => zoomMiddle(1.4),
  "=": () => zoomMiddle(1.4),
  "-": () => zoomMiddle(1 / 1.4),
  "0": fit,
  Home: fit,
  n: () => step(1),
  p: () => step(-1),
  f: () => {
    if (!byId("flicker").hidden) setFlicker(state.flicker === "off");
  },
  Escape: () => (state.flicker === "off" ? pick(-1, false) : setFlicker(false)),
  ArrowLeft: () => panBy(1, 0),
  ArrowRight: () => panBy(-1, 0),
  ArrowUp: () => panBy(0, 1),
  ArrowDown: () => panBy(0, -1),
  a: () => lead(0),
  b: () => lead(1),
};

/**
 * @param {number} right
 * @param {number} down
 */
function panBy(right, down) {
  const { width, height } = state.panels[state.leader];
  pan(state.leader, right * 0.12 * width, down * 0.12 * height);
  moved();
}

/** @param {number} photo the one that keys move from now on */
function lead(photo) {
  if (seenPanels().includes(photo)) state.leader = photo;
  say(`Keys move photo ${"AB"[state.leader]}.`);
}

STAGE.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});
