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
// A photo that follows is as small as the other one asks for; what moves it can make it no smaller than this part.
const LEAST_PART = 0.1;
// What the photos together take of the window's height at most, side by side and stacked.
const TALLEST = { aside: 0.62, stacked: 0.84 };
// A frame in a notebook scrolls badly: the sliders must be seen beside what they change.
const ROOM = document.documentElement.classList.contains("embedded") ? 0.8 : 1;

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
  const most = window.innerHeight * ROOM * (stacked ? TALLEST.stacked / 2 : TALLEST.aside);
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

function homes() {
  return PAGE.photos.map((_, photo) => home(photo));
}

function goHome() {
  state.views = homes();
}

/**
 * Whether a view holds the whole photo.
 * @param {number} photo
 * @param {View} view
 */
function isWhole(photo, view) {
  return view.k <= home(photo).k * 1.001;
}

/** Whether all photos are seen whole. */
function atHome() {
  return state.views.every((view, photo) => isWhole(photo, view));
}

/**
 * Whether there is nothing to move: a photo that follows may be small while the other one is zoomed.
 * @param {number} photo
 */
function atRest(photo) {
  return state.follow ? atHome() : isWhole(photo, state.views[photo]);
}

/**
 * See the same places in panels of another size, as large in proportion.
 * @param {View[]} before the whole photos in the panels as they were
 */
function keepPlaces(before) {
  const growth = homes().map(({ k }, photo) => k / before[photo].k);
  // Photos that follow each other grow alike, each of the others by its own panel.
  state.views = state.views.map((view, photo) => ({ ...view, k: view.k * growth[state.follow ? state.leader : photo] }));
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
 * Show a part of a photo; all of it where there is nothing else to see. The middle of the other panel goes where
 * the geometry takes the middle of this one, and its zoom makes things there as large as here.
 * @param {number} photo
 * @param {View} view
 */
function show(photo, view) {
  put(photo, view);
  if (!atRest(photo)) return;
  if (state.follow) goHome();
  else state.views[photo] = home(photo);
}

/**
 * Show a part of a photo as large as it is asked for, however small.
 * @param {number} photo
 * @param {View} view
 */
function put(photo, view) {
  const { width, height } = PAGE.photos[photo];
  const seen = {
    x: Math.min(width - 1, Math.max(0, view.x)),
    y: Math.min(height - 1, Math.max(0, view.y)),
    k: view.k,
  };
  state.leader = photo;
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
  const now = state.views[photo].k;
  const whole = home(photo).k;
  // A photo that follows can be outside of these bounds; nothing brings it in with a jump.
  const least = Math.min(now, whole * (state.follow ? LEAST_PART : 1));
  const k = Math.max(least, Math.min(Math.max(MOST_ZOOM, whole, now), now * factor));
  show(photo, {
    x: fixed.x - (x - panel.left - panel.width / 2) / k,
    y: fixed.y - (y - panel.top - panel.height / 2) / k,
    k,
  });
}

/**
 * Move a photo by pixels of the screen, which leaves it as large as it is.
 * @param {number} photo
 * @param {number} dx
 * @param {number} dy
 */
function pan(photo, dx, dy) {
  // Nothing is hidden of photos that just fill their panels.
  const fills = state.views.map((view, one) => Math.abs(view.k / home(one).k - 1) < 1e-3);
  if (state.follow ? fills.every(Boolean) : fills[photo]) return;
  const { x, y, k } = state.views[photo];
  put(photo, { x: x - dx / k, y: y - dy / k, k });
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
