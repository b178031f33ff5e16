// @ts-check
// Both photos on the screen: where they lie, which part of each is seen, and how one follows the other.
"use strict";

/**
 * @typedef {{x: number, y: number, k: number}} View the point in the middle of the panel, and pixels of the screen
 *   to one of the photo
 * @typedef {{left: number, top: number, width: number, height: number}} Panel
 */

const GAP = 8;
const NARROW = 640;
const MOST_ZOOM = 24;
// What the photos together take of the window's height at most, side by side and stacked.
const TALLEST = { aside: 0.62, stacked: 0.84 };

const STAGE = byId("stage");

/** What is seen at the moment; the hands move it, the pens draw it. */
const state = {
  thresholds: { ...PAGE.thresholds },
  /** @type {Switches} */
  show: { agree: true, rejected: true, guided: true, keypoints: false },
  colour: PAGE.colours[0],
  follow: Boolean(PAGE.geometry?.matrix),
  /** @type {Panel[]} */
  panels: [],
  /** @type {View[]} */
  views: [],
  /** The photo that was moved last; the other one follows. */
  leader: 0,
  selected: -1,
  hovered: -1,
  /** @type {(Point & {photo: number}) | null} */
  pointer: null,
  /** @type {"off" | "A" | "B"} */
  flicker: "off",
};

/** @type {Chosen} */
// eslint-disable-next-line prefer-const -- controls.js chooses anew
let selection = select(state.thresholds, state.show);

/** The panels that are on the screen: one alone while the photos flicker. */
function seenPanels() {
  return state.flicker === "off" ? [...PAGE.photos.keys()] : [0];
}

/** Divide the stage among the photos, and give it the height that they need. */
function layOut() {
  const seen = seenPanels();
  const stacked = STAGE.clientWidth < NARROW && seen.length > 1;
  const columns = stacked ? 1 : seen.length;
  const width = Math.floor((STAGE.clientWidth - GAP * (columns - 1)) / columns);
  const most = window.innerHeight * (stacked ? TALLEST.stacked / 2 : TALLEST.aside);
  const wanted = seen.map((photo) => (width * PAGE.photos[photo].height) / PAGE.photos[photo].width);
  const height = Math.round(Math.max(160, Math.min(most, Math.max(...wanted))));
  state.panels = PAGE.photos.map((_, photo) => {
    const k = Math.max(0, seen.indexOf(photo));
    const [left, top] = stacked ? [0, k * (height + GAP)] : [k * (width + GAP), 0];
    return { left, top, width, height };
  });
  STAGE.style.height = `${stacked ? seen.length * (height + GAP) - GAP : height}px`;
  return stacked;
}

/**
 * The whole photo in its panel.
 * @param {number} photo
 * @returns {View}
 */
function home(photo) {
  const { width, height } = PAGE.photos[photo];
  const panel = state.panels[photo];
  return { x: (width - 1) / 2, y: (height - 1) / 2, k: Math.min(panel.width / width, panel.height / height) };
}

function goHome() {
  state.views = PAGE.photos.map((_, photo) => home(photo));
}

/** Whether all photos are seen whole. */
function atHome() {
  return state.views.every((view, photo) => view.k <= home(photo).k * 1.001);
}

/**
 * From a point of a photo to the stage; the middle of a photo's first pixel is its (0, 0).
 * @param {number} photo
 * @param {number} x
 * @param {number} y
 * @returns {Point}
 */
function toStage(photo, x, y) {
  const view = state.views[photo];
  const panel = state.panels[photo];
  return {
    x: panel.left + panel.width / 2 + (x - view.x) * view.k,
    y: panel.top + panel.height / 2 + (y - view.y) * view.k,
  };
}

/**
 * @param {number} photo
 * @param {number} x
 * @param {number} y
 * @returns {Point}
 */
function fromStage(photo, x, y) {
  const view = state.views[photo];
  const panel = state.panels[photo];
  return {
    x: view.x + (x - panel.left - panel.width / 2) / view.k,
    y: view.y + (y - panel.top - panel.height / 2) / view.k,
  };
}

/**
 * The photo whose panel holds a point of the stage.
 * @param {number} x
 * @param {number} y
 * @returns {number} -1 between the panels
 */
function photoAt(x, y) {
  return seenPanels().find((photo) => inside(state.panels[photo], x, y)) ?? -1;
}

/**
 * @param {Panel} panel
 * @param {number} x
 * @param {number} y
 */
function inside({ left, top, width, height }, x, y) {
  return x >= left && y >= top && x < left + width && y < top + height;
}

/**
 * Show a part of a photo. The middle of the other panel goes where the geometry takes the middle of this one,
 * and its zoom makes things there as large as here.
 * @param {number} photo
 * @param {View} view
 */
function show(photo, view) {
  const whole = home(photo);
  const { width, height } = PAGE.photos[photo];
  state.leader = photo;
  if (view.k <= whole.k * 1.001) {
    if (state.follow) goHome();
    else state.views[photo] = whole;
    return;
  }
  const seen = {
    x: Math.min(width - 1, Math.max(0, view.x)),
    y: Math.min(height - 1, Math.max(0, view.y)),
    k: Math.min(Math.max(MOST_ZOOM, whole.k), view.k),
  };
  state.views[photo] = seen;
  if (!state.follow) return;
  const there = inOther(photo, seen);
  if (there) state.views[1 - photo] = { x: there.x, y: there.y, k: seen.k / Math.max(1e-3, there.scale) };
}

/**
 * Zoom by a factor around a point of the stage, which stays where it is.
 * @param {number} photo
 * @param {number} factor
 * @param {number} x
 * @param {number} y
 */
function zoom(photo, factor, x, y) {
  const fixed = fromStage(photo, x, y);
  const panel = state.panels[photo];
  const k = Math.min(Math.max(MOST_ZOOM, home(photo).k), state.views[photo].k * factor);
  show(photo, {
    x: fixed.x - (x - panel.left - panel.width / 2) / k,
    y: fixed.y - (y - panel.top - panel.height / 2) / k,
    k,
  });
}

/**
 * Move a photo by pixels of the screen.
 * @param {number} photo
 * @param {number} dx
 * @param {number} dy
 */
function pan(photo, dx, dy) {
  const { x, y, k } = state.views[photo];
  show(photo, { x: x - dx / k, y: y - dy / k, k });
}

/**
 * Both ends of a match to the middle of their panels, its keypoints as large as each other.
 * @param {number} row
 */
function zoomTo(row) {
  const part = 0.22;
  const [first, second] = ROWS.xy.map((xy) => ({ x: xy[2 * row], y: xy[2 * row + 1] }));
  const panel = state.panels[0];
  const size = ROWS.size[0]?.[row] || 24;
  const least = home(0).k * 2;
  const k = Math.max(least, Math.min(MOST_ZOOM / 4, (part * Math.min(panel.width, panel.height)) / size));
  state.views[0] = { ...first, k };
  state.leader = 0;
  if (!second) return;
  const size0 = ROWS.size[0]?.[row];
  const size1 = ROWS.size[1]?.[row];
  const there = STATE[row] === AGREES ? inOther(0, first) : null;
  const growth = there?.scale ?? (size0 && size1 ? size1 / size0 : home(0).k / home(1).k);
  state.views[1] = { ...second, k: k / Math.min(50, Math.max(0.02, growth)) };
}
