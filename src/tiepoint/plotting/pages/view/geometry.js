// @ts-check
// From one photo to the other: points, lines, scales and residuals under the geometry that was found.
"use strict";

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{x: number, y: number, scale: number}} Placed a point of the other photo, and how much larger things are there */

/**
 * @param {number[]} m nine numbers, in row order
 * @param {number} x
 * @param {number} y
 * @returns {[number, number, number]}
 */
function product(m, x, y) {
  return [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5], m[6] * x + m[7] * y + m[8]];
}

/**
 * The inverse up to a factor, which a homography does not have.
 * @param {number[]} m
 * @returns {number[]}
 */
function adjugate([a, b, c, d, e, f, g, h, i]) {
  return [
    e * i - f * h, c * h - b * i, b * f - c * e,
    f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d,
  ];
}

/**
 * @param {number[]} m
 * @returns {number[]}
 */
function transposed([a, b, c, d, e, f, g, h, i]) {
  return [a, d, g, b, e, h, c, f, i];
}

/**
 * Where a homography takes a point, and by how much it enlarges there.
 * @param {number[]} H
 * @param {Point} point
 * @param {1 | -1} front the side of its horizon that is seen
 * @returns {Placed | null} null at the horizon, and behind it, where all is upside down
 */
function carried(H, { x, y }, front) {
  const [u, v, w] = product(H, x, y);
  if (w * front < 1e-12) return null;
  const at = { x: u / w, y: v / w };
  const ux = (H[0] - at.x * H[6]) / w;
  const uy = (H[1] - at.x * H[7]) / w;
  const vx = (H[3] - at.y * H[6]) / w;
  const vy = (H[4] - at.y * H[7]) / w;
  return { ...at, scale: Math.sqrt(Math.abs(ux * vy - uy * vx)) };
}

/**
 * The Sampson distance of every row from the model, in pixels.
 * @param {GeometryFacts} geometry
 * @param {Rows} rows
 * @returns {Float64Array}
 */
function residuals(geometry, rows) {
  const m = /** @type {number[]} */ (geometry.matrix);
  const [xy0, xy1] = rows.xy;
  const found = new Float64Array(rows.count);
  const front = geometry.planar ? sideOfMost(m, xy0, rows.judged) : 1;
  for (let i = 0; i < rows.count; i++) {
    const [x, y, u, v] = [xy0[2 * i], xy0[2 * i + 1], xy1[2 * i], xy1[2 * i + 1]];
    found[i] = geometry.planar ? fromPoint(m, x, y, u, v, front) : fromLine(m, x, y, u, v);
  }
  return found;
}

/**
 * On which side of a homography's horizon the matches that agree lie.
 * @param {number[]} H
 * @param {Float32Array} xy
 * @param {Uint8Array} judged
 * @returns {1 | -1}
 */
function sideOfMost(H, xy, judged) {
  let sum = 0;
  for (let i = 0; i < judged.length; i++) {
    if (judged[i] === AGREES) sum += Math.sign(product(H, xy[2 * i], xy[2 * i + 1])[2]);
  }
  return sum < 0 ? -1 : 1;
}

/**
 * Two equations in four coordinates: to first order they are met after a move of this length.
 * @param {number[]} H
 * @param {number} x
 * @param {number} y
 * @param {number} u
 * @param {number} v
 * @param {1 | -1} front
 */
function fromPoint(H, x, y, u, v, front) {
  const [p, q, w] = product(H, x, y);
  if (w * front <= 0) return Infinity;
  const e = p - u * w;
  const f = q - v * w;
  const [ex, ey] = [H[0] - u * H[6], H[1] - u * H[7]];
  const [fx, fy] = [H[3] - v * H[6], H[4] - v * H[7]];
  const ee = ex * ex + ey * ey + w * w;
  const ef = ex * fx + ey * fy;
  const ff = fx * fx + fy * fy + w * w;
  return Math.sqrt(Math.max(0, (ff * e * e - 2 * ef * e * f + ee * f * f) / (ee * ff - ef * ef)));
}

/**
 * @param {number[]} F
 * @param {number} x
 * @param {number} y
 * @param {number} u
 * @param {number} v
 */
function fromLine(F, x, y, u, v) {
  const [a, b, c] = product(F, x, y);
  const [d, e] = product(transposed(F), u, v);
  const slope = a * a + b * b + d * d + e * e;
  return slope > 0 ? Math.abs(a * u + b * v + c) / Math.sqrt(slope) : 0;
}

/**
 * The line [a, b, c], a x + b y + c = 0, of the other photo on which a point must lie.
 * @param {number} photo the one of the point
 * @param {Point} point
 * @returns {[number, number, number] | null}
 */
function epipolarLine(photo, { x, y }) {
  const { geometry } = PAGE;
  if (!geometry?.matrix || geometry.planar) return null;
  const line = product(photo === 0 ? geometry.matrix : transposed(geometry.matrix), x, y);
  return line[0] || line[1] ? line : null;
}

/** From so many matches that agree a place is interpolated, where the geometry gives a line only. */
const NEIGHBOURS = 12;

/**
 * Where a point of one photo is in the other. By a homography exactly. By a fundamental matrix it is the point
 * of the epipolar line next to where the nearest matches that agree would move, turn and scale it.
 * @param {number} photo the one of the point
 * @param {Point} point
 * @returns {Placed | null} null where there is no telling
 */
function inOther(photo, point) {
  const { geometry } = PAGE;
  if (!geometry?.matrix || PAGE.photos.length < 2) return null;
  if (geometry.planar) return carried(FROM[photo].matrix, point, FROM[photo].front);
  const near = fromNeighbours(photo, point, geometry.mirrored ? -1 : 1);
  const line = epipolarLine(photo, point);
  if (!near || !line) return near;
  const off = (line[0] * near.x + line[1] * near.y + line[2]) / (line[0] ** 2 + line[1] ** 2);
  return { x: near.x - off * line[0], y: near.y - off * line[1], scale: near.scale };
}

/**
 * The nearest of the matches that agree, nearest first. One pass over all, since each frame asks for them.
 * @param {Float32Array} xy
 * @param {number} x
 * @param {number} y
 */
function nearestAgreeing(xy, x, y) {
  /** @type {{i: number, d: number}[]} */
  const near = [];
  let farthest = Infinity;
  for (const i of AGREEING) {
    const d = Math.hypot(xy[2 * i] - x, xy[2 * i + 1] - y);
    if (d >= farthest) continue;
    if (near.length === NEIGHBOURS) near.pop();
    let at = near.length;
    while (at > 0 && near[at - 1].d > d) at--;
    near.splice(at, 0, { i, d });
    if (near.length === NEIGHBOURS) farthest = near[NEIGHBOURS - 1].d;
  }
  return near;
}

/**
 * The similarity that moves the nearest agreeing matches best, applied to a point. A neighbour's weight
 * reaches zero as it becomes the last of them, so that the result has no jumps.
 * @param {number} photo
 * @param {Point} point
 * @param {1 | -1} hand -1 where one photo is the mirror image of the other
 * @returns {Placed | null}
 */
function fromNeighbours(photo, { x, y }, hand) {
  const [here, there] = photo === 0 ? ROWS.xy : [ROWS.xy[1], ROWS.xy[0]];
  const near = nearestAgreeing(here, x, y);
  if (near.length < 2) return null;
  const reach = near[near.length - 1].d * (1 + 1e-6) + 1e-9;
  let [sum, mx, my, mu, mv] = [0, 0, 0, 0, 0];
  const weights = near.map(({ d }) => (1 - (d / reach) ** 2) ** 2 + 1e-9);
  near.forEach(({ i }, k) => {
    sum += weights[k];
    mx += weights[k] * here[2 * i] * hand;
    my += weights[k] * here[2 * i + 1];
    mu += weights[k] * there[2 * i];
    mv += weights[k] * there[2 * i + 1];
  });
  [mx, my, mu, mv] = [mx / sum, my / sum, mu / sum, mv / sum];
  let [along, across, spread] = [0, 0, 0];
  near.forEach(({ i }, k) => {
    const [p, q] = [here[2 * i] * hand - mx, here[2 * i + 1] - my];
    const [r, s] = [there[2 * i] - mu, there[2 * i + 1] - mv];
    along += weights[k] * (p * r + q * s);
    across += weights[k] * (p * s - q * r);
    spread += weights[k] * (p * p + q * q);
  });
  const [a, b] = spread > 1e-9 ? [along / spread, across / spread] : [1, 0];
  const [p, q] = [x * hand - mx, y - my];
  const scale = Math.min(50, Math.max(0.02, Math.hypot(a, b)));
  return { x: mu + a * p - b * q, y: mv + b * p + a * q, scale };
}
