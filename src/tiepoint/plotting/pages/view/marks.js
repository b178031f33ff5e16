// @ts-check
// What is pointed at or selected, the pointer's place in the other photo, and the border of the other photo.
"use strict";

/** @type {Float64Array[]} parts of the other photo's border in each photo: both ends of each */
const OUTLINES = PAGE.outlines.map((packed) => /** @type {Float64Array} */ (unpacked(packed)));

function drawMarks() {
  const { pen } = LAYERS.marks.cleared();
  if (state.flicker !== "off") return;
  for (const photo of seenPanels()) {
    within(pen, photo, () => drawOutline(pen, photo));
  }
  for (const row of new Set([state.hovered, state.selected])) if (row >= 0) drawOne(pen, row);
  if (state.pointer && PAGE.photos.length > 1) drawCounterpart(pen, state.pointer.photo, state.pointer);
}

/**
 * Draw inside of a panel only.
 * @param {CanvasRenderingContext2D} pen
 * @param {number} photo
 * @param {() => void} draw
 */
function within(pen, photo, draw) {
  const { left, top, width, height } = state.panels[photo];
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  draw();
  pen.restore();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} photo
 */
function drawOutline(pen, photo) {
  const parts = OUTLINES[photo];
  if (!parts?.length) return;
  const path = new Path2D();
  for (let i = 0; i < parts.length; i += 4) {
    const from = toStage(photo, parts[i], parts[i + 1]);
    const to = toStage(photo, parts[i + 2], parts[i + 3]);
    path.moveTo(from.x, from.y);
    path.lineTo(to.x, to.y);
  }
  rimmed(pen, path, PAGE.palette.outline, 1.8);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Path2D} path
 * @param {string} colour
 * @param {number} width
 */
function rimmed(pen, path, colour, width) {
  stroke(pen, path, PAGE.palette.rim, width + 2, 0.75);
  stroke(pen, path, colour, width);
}

/**
 * A match by itself: its line, both keypoints, and where the geometry wants its other end.
 * @param {CanvasRenderingContext2D} pen
 * @param {number} row
 */
function drawOne(pen, row) {
  const ends = ROWS.xy.map((xy, photo) => toStage(photo, xy[2 * row], xy[2 * row + 1]));
  const colour = colourOf(row);
  // A selected match stays when a threshold cuts it off, but no longer looks like one of those that pass.
  pen.setLineDash(selection.passes[row] ? [] : [3, 5]);
  if (ends.length > 1 && ends.every((at, photo) => inside(state.panels[photo], at.x, at.y))) {
    const line = new Path2D();
    line.moveTo(ends[0].x, ends[0].y);
    line.lineTo(ends[1].x, ends[1].y);
    stroke(pen, line, "#ffffff", 6, 0.9);
    stroke(pen, line, PAGE.palette.rim, 4);
    stroke(pen, line, colour, 2.5);
  }
  ends.forEach((at, photo) => {
    within(pen, photo, () => {
      const circle = new Path2D();
      const radius = ((ROWS.size[photo]?.[row] ?? 0) / 2) * state.views[photo].k;
      keypoint(circle, at, Math.max(radius, 6), radius > 6 ? ROWS.angle[photo]?.[row] : undefined);
      stroke(pen, circle, "#ffffff", 5, 0.9);
      rimmed(pen, circle, colour, 2);
    });
  });
  pen.setLineDash([]);
  if (row === state.selected && ends.length > 1) {
    drawCounterpart(pen, 0, { x: ROWS.xy[0][2 * row], y: ROWS.xy[0][2 * row + 1] });
  }
}

/** The colour of each kind of row. */
function kindColours() {
  const { keypoint: unknown, rejected, agree, guided } = PAGE.palette;
  return [unknown, rejected, agree, guided];
}

/** @param {number} row */
function colourOf(row) {
  const { palette } = PAGE;
  if (state.colour === "plain") return palette.keypoint;
  if (state.colour === "inlier") return kindColours()[selection.kinds[row]];
  return palette.graded[coloured(state.colour)?.step(row) ?? 0];
}

/**
 * Where the geometry sees a point in the other photo: a cross at its place; for a fundamental matrix the line on
 * which it lies, and a ring where the matches around it have gone.
 * @param {CanvasRenderingContext2D} pen
 * @param {number} photo
 * @param {Point} point
 */
function drawCounterpart(pen, photo, point) {
  const other = 1 - photo;
  const line = epipolarLine(photo, point);
  const there = inOther(photo, point);
  within(pen, other, () => {
    if (line) rimmed(pen, across(other, line), PAGE.palette.outline, 1.6);
    if (!there) return;
    const at = toStage(other, there.x, there.y);
    const path = new Path2D();
    if (line) {
      path.arc(at.x, at.y, 9, 0, 2 * Math.PI);
    } else {
      path.moveTo(at.x - 9, at.y);
      path.lineTo(at.x + 9, at.y);
      path.moveTo(at.x, at.y - 9);
      path.lineTo(at.x, at.y + 9);
    }
    rimmed(pen, path, "#ffffff", 1.4);
  });
}

/**
 * A line through a whole panel.
 * @param {number} photo
 * @param {[number, number, number]} line
 */
function across(photo, [a, b, c]) {
  const panel = state.panels[photo];
  const corner = fromStage(photo, panel.left, panel.top);
  const far = fromStage(photo, panel.left + panel.width, panel.top + panel.height);
  const ends =
    Math.abs(b) > Math.abs(a)
      ? [corner.x, far.x].map((x) => ({ x, y: -(a * x + c) / b }))
      : [corner.y, far.y].map((y) => ({ x: -(b * y + c) / a, y }));
  const path = new Path2D();
  const [from, to] = ends.map(({ x, y }) => toStage(photo, x, y));
  path.moveTo(from.x, from.y);
  path.lineTo(to.x, to.y);
  return path;
}

/**
 * The match whose end, or else whose line, is nearest to a point of the stage.
 * @param {number} x
 * @param {number} y
 * @param {number} reach in pixels
 * @returns {number} -1 if none is within reach
 */
function rowAt(x, y, reach) {
  let [best, nearest] = [-1, reach];
  const { ends, seen } = placedEnds();
  const pair = ROWS.xy.length > 1;
  for (const i of selection.shown) {
    for (let photo = 0; photo < ROWS.xy.length; photo++) {
      const [u, v] = [ends[4 * i + 2 * photo], ends[4 * i + 2 * photo + 1]];
      const away = Math.hypot(u - x, v - y);
      if (away < nearest && inside(state.panels[photo], u, v)) [best, nearest] = [i, away];
    }
  }
  if (best >= 0 || !pair) return best;
  nearest = reach / 2;
  for (const i of selection.shown) {
    if (!seen[i]) continue;
    const [u, v] = [ends[4 * i], ends[4 * i + 1]];
    const [dx, dy] = [ends[4 * i + 2] - u, ends[4 * i + 3] - v];
    const along = ((x - u) * dx + (y - v) * dy) / (dx * dx + dy * dy || 1);
    if (along < 0 || along > 1) continue;
    const away = Math.hypot(u + along * dx - x, v + along * dy - y);
    if (away < nearest) [best, nearest] = [i, away];
  }
  return best;
}
