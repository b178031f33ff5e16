// @ts-check
// The pens: photos, lines and keypoints, quickly or well.
"use strict";

const FEW = 300; // so many lines get a dark rim, which shows them on a bright wall
const QUICK_MARKS = 1500;

/** @type {CanvasImageSource[][]} each photo at its size, at half of it, and so on */
const PYRAMIDS = [];

/** Halve each photo until it is small: reduced in one step, thin things would flicker as it is moved. */
function makePyramids() {
  for (const photo of PAGE.photos.keys()) {
    const image = /** @type {HTMLImageElement} */ (byId(`photo${photo}`));
    /** @type {(HTMLImageElement | HTMLCanvasElement)[]} */
    const levels = [image];
    let [width, height] = [image.naturalWidth, image.naturalHeight];
    while (Math.max(width, height) > 500) {
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      const half = document.createElement("canvas");
      [half.width, half.height] = [width, height];
      const pen = half.getContext("2d");
      if (!pen) break;
      pen.drawImage(levels[levels.length - 1], 0, 0, width, height);
      levels.push(half);
    }
    PYRAMIDS[photo] = levels;
  }
}

/**
 * The smallest level that has a pixel for each of the screen.
 * @param {number} photo
 * @param {number} k pixels of the screen to one of the photo
 */
function levelFor(photo, k) {
  const image = /** @type {HTMLImageElement} */ (PYRAMIDS[photo][0]);
  const needed = (PAGE.photos[photo].width / image.naturalWidth) * k;
  const step = Math.floor(Math.log2(1 / Math.max(needed, 1e-6)) + 0.01);
  return PYRAMIDS[photo][Math.min(PYRAMIDS[photo].length - 1, Math.max(0, step))];
}

/** @param {number} [most] pixels to one of CSS */
function drawPhotos(most) {
  const layer = LAYERS.photos;
  layer.fit(STAGE.clientWidth, STAGE.clientHeight, most);
  const { pen } = layer.cleared();
  // Both alike, or one would look as if it were of another camera.
  const smooth = Math.min(...seenPanels().map((photo) => state.views[photo].k)) * layer.density < 8;
  for (const photo of seenPanels()) {
    const panel = state.panels[photo];
    const view = state.views[photo];
    pen.save();
    pen.beginPath();
    pen.rect(panel.left, panel.top, panel.width, panel.height);
    pen.clip();
    pen.fillStyle = "#0c0d0f";
    pen.fillRect(panel.left, panel.top, panel.width, panel.height);
    const { width, height } = PAGE.photos[photo];
    const corner = toStage(photo, -0.5, -0.5);
    const laid = state.flicker === "B" ? aligned() : null;
    pen.imageSmoothingEnabled = smooth;
    pen.drawImage(laid ?? levelFor(photo, view.k * layer.density), corner.x, corner.y, width * view.k, height * view.k);
    pen.restore();
  }
}

/**
 * Which colour each shown row has: classes of one colour, drawn together, the fewest on top.
 * @returns {{colour: string, rows: Int32Array | number[], state: number}[]}
 */
function classes() {
  const { palette } = PAGE;
  const values = state.colour === "inlier" || state.colour === "plain" ? null : coloured(state.colour);
  if (!values) {
    const kinds = [UNKNOWN, REJECTED, AGREES, WON].map((kind) => ({
      state: kind,
      colour: kindColours()[state.colour === "plain" ? UNKNOWN : kind],
      rows: selection.shown.filter((i) => selection.kinds[i] === kind),
    }));
    return kinds.filter(({ rows }) => rows.length).sort((a, b) => b.rows.length - a.rows.length);
  }
  /** @type {number[][]} */
  const rows = palette.graded.map(() => []);
  for (const i of selection.shown) rows[values.step(i)].push(i);
  // What is best is bright and lies on top.
  return palette.graded
    .map((colour, step) => ({ colour, rows: rows[step], state: UNKNOWN }))
    .filter((one) => one.rows.length)
    .reverse();
}

function drawQuickly() {
  const layer = LAYERS.quick;
  const density = LINE_DENSITY[drawing.coarse];
  layer.fit(STAGE.clientWidth, STAGE.clientHeight, density);
  const { pixels, image, pen } = layer.raster();
  const { width, height } = layer.canvas;
  pixels.fill(0);
  const { ends, seen } = placedEnds(density);
  const pair = ROWS.xy.length > 1;
  const all = classes();
  const opacity = opacityOf(all);
  for (const { colour, rows, state: kind } of all) {
    const line = pixelOf(colour, opacity(kind));
    const pixel = pixelOf(colour);
    const dots = !pair || rows.length < QUICK_MARKS;
    for (const i of rows) {
      if (!seen[i]) continue;
      const at = 4 * i;
      if (pair) quickLine(pixels, width, height, ends[at], ends[at + 1], ends[at + 2], ends[at + 3], line);
      if (!dots) continue;
      quickDot(pixels, width, height, ends[at], ends[at + 1], pixel);
      if (pair) quickDot(pixels, width, height, ends[at + 2], ends[at + 3], pixel);
    }
  }
  pen.putImageData(image, 0, 0);
}

/** Both ends of every row on the stage, and whether both are seen; in arrays, since this is done at every frame. */
const PLACES = { ends: new Float32Array(4 * ROWS.count), seen: new Uint8Array(ROWS.count) };

/** @param {number} [density] pixels to one of CSS */
function placedEnds(density = 1) {
  const { ends, seen } = PLACES;
  seen.fill(1);
  ROWS.xy.forEach((xy, photo) => {
    const k = state.views[photo].k * density;
    const panel = state.panels[photo];
    const [left, top] = [panel.left * density, panel.top * density];
    const [right, bottom] = [left + panel.width * density, top + panel.height * density];
    const at0 = toStage(photo, 0, 0);
    const corner = { x: at0.x * density, y: at0.y * density };
    for (let i = 0, at = 2 * photo; i < ROWS.count; i++, at += 4) {
      const x = corner.x + xy[2 * i] * k;
      const y = corner.y + xy[2 * i + 1] * k;
      ends[at] = x;
      ends[at + 1] = y;
      if (x < left || y < top || x >= right || y >= bottom) seen[i] = 0;
    }
  });
  return PLACES;
}

function drawLines() {
  const { pen } = LAYERS.lines.cleared();
  if (state.flicker !== "off") return;
  if (state.show.keypoints) drawUnmatched(pen);
  const { ends, seen } = placedEnds();
  const all = classes();
  const opacity = opacityOf(all);
  const { length } = selection.shown;
  // Fewer of them are bolder, and on a small screen all are finer.
  const bold = 1.8 * Math.min(1, (60 / Math.max(1, length)) ** 0.25) * fineness();
  for (const { rows, colour, state: kind } of all) {
    if (ROWS.xy.length < 2) break;
    const path = new Path2D();
    for (const i of rows) {
      if (!seen[i]) continue;
      path.moveTo(ends[4 * i], ends[4 * i + 1]);
      path.lineTo(ends[4 * i + 2], ends[4 * i + 3]);
    }
    const few = rows.length <= FEW;
    // A few among many must not drown.
    const width = Math.max(few && length > FEW ? 1.5 : 0.8, bold);
    pen.setLineDash(kind === REJECTED && few ? [7, 4] : []);
    if (length <= FEW) stroke(pen, path, PAGE.palette.rim, width * 2.2, 0.55);
    stroke(pen, path, colour, width, opacity(kind));
    pen.setLineDash([]);
  }
  for (const { rows, colour, state: kind } of all) {
    for (const photo of ROWS.xy.keys()) drawEnds(pen, rows, photo, colour, kind);
  }
}

/** How fine marks are: 1 on a wide stage. */
function fineness() {
  return Math.min(1, Math.max(0.55, state.panels[0].width / 700));
}

/**
 * How opaque lines are by their kind: the photos must be seen through many of them, and what is rejected, which
 * are most often fewer, through all others.
 * @param {{rows: Int32Array | number[], state: number}[]} all
 * @returns {(kind: number) => number}
 */
function opacityOf(all) {
  const counts = [0, 0];
  for (const { rows, state: kind } of all) counts[kind === REJECTED ? 1 : 0] += rows.length;
  const few = FEW * fineness(); // on a small screen they are closer together
  return (kind) => Math.max(0.1, 0.95 * Math.min(1, (few / counts[kind === REJECTED ? 1 : 0]) ** 0.9));
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Path2D} path
 * @param {string} colour
 * @param {number} width
 * @param {number} [alpha]
 */
function stroke(pen, path, colour, width, alpha = 1) {
  pen.globalAlpha = alpha;
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
  pen.globalAlpha = 1;
}

/**
 * The ends of lines: as keypoints where there is room for their circle; else a dot if the match agrees, and a
 * cross if it does not, which shows without any colour.
 * @param {CanvasRenderingContext2D} pen
 * @param {Int32Array | number[]} rows
 * @param {number} photo
 * @param {string} colour
 * @param {number} kind
 */
function drawEnds(pen, rows, photo, colour, kind) {
  const xy = ROWS.xy[photo];
  const panel = state.panels[photo];
  const circles = new Path2D();
  const dots = new Path2D();
  const r = (selection.shown.length > FEW ? 1.8 : 3) * fineness();
  let some = false;
  for (const i of rows) {
    const at = toStage(photo, xy[2 * i], xy[2 * i + 1]);
    if (!inside(panel, at.x, at.y)) continue;
    some = true;
    const radius = ((ROWS.size[photo]?.[i] ?? 0) / 2) * state.views[photo].k;
    if (radius > 5 && (!atHome() || ROWS.xy.length === 1)) {
      keypoint(circles, at, radius, ROWS.angle[photo]?.[i]);
    } else if (kind === REJECTED && state.colour === "inlier") {
      circles.moveTo(at.x - r, at.y - r);
      circles.lineTo(at.x + r, at.y + r);
      circles.moveTo(at.x - r, at.y + r);
      circles.lineTo(at.x + r, at.y - r);
    } else {
      dots.moveTo(at.x + r, at.y);
      dots.arc(at.x, at.y, r, 0, 2 * Math.PI);
    }
  }
  if (!some) return;
  if (selection.shown.length <= FEW) {
    stroke(pen, circles, PAGE.palette.rim, 3.4, 0.6);
    stroke(pen, dots, PAGE.palette.rim, 2, 0.6);
  }
  pen.fillStyle = colour;
  pen.fill(dots);
  stroke(pen, circles, colour, 1.5);
}

/**
 * @param {Path2D} path
 * @param {Point} at
 * @param {number} radius
 * @param {number | undefined} angle in degrees, clockwise as seen
 */
function keypoint(path, at, radius, angle) {
  path.moveTo(at.x + radius, at.y);
  path.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  if (angle === undefined) return;
  const turn = (angle * Math.PI) / 180;
  path.moveTo(at.x, at.y);
  path.lineTo(at.x + radius * Math.cos(turn), at.y + radius * Math.sin(turn));
}

/** @param {CanvasRenderingContext2D} pen */
function drawUnmatched(pen) {
  for (const photo of seenPanels()) {
    const keypoints = KEYPOINTS[photo];
    if (!keypoints) continue;
    const matched = matchedKeypoints(photo);
    const path = new Path2D();
    for (let i = 0; i < keypoints.count; i++) {
      if (matched[i]) continue;
      const at = toStage(photo, keypoints.xy[2 * i], keypoints.xy[2 * i + 1]);
      if (!inside(state.panels[photo], at.x, at.y)) continue;
      const radius = (keypoints.size[i] / 2) * state.views[photo].k;
      if (radius > 2.5) keypoint(path, at, radius, keypoints.angle?.[i]);
      else path.rect(at.x - 1, at.y - 1, 2, 2);
    }
    stroke(pen, path, PAGE.palette.keypoint, 1, 0.7);
  }
}

/**
 * @param {number} photo
 * @returns {Uint8Array} 1 for keypoints of matches that pass
 */
function matchedKeypoints(photo) {
  const matched = new Uint8Array(KEYPOINTS[photo]?.count ?? 0);
  if (PAGE.kind === "photo") return matched.fill(1);
  if (ROWS.pairs) for (const i of selection.passed) matched[ROWS.pairs[2 * i + photo]] = 1;
  return matched;
}
