// @ts-check
// What the page is about: the document in it, and its numbers unpacked into typed arrays.
"use strict";

/**
 * @typedef {{type: "Float32Array" | "Float64Array" | "Int32Array" | "Uint8Array", base64: string}} Packed
 * @typedef {Float32Array | Float64Array | Int32Array | Uint8Array} Numbers
 * @typedef {{width: number, height: number, name: string}} Photo
 * @typedef {{found: boolean, model: string, planar: boolean, matrix: number[] | null, max_error: number,
 *   mirrored: boolean}} GeometryFacts
 * @typedef {{mutual: boolean, ratio: number | null, distance: number | null, score: number | null,
 *   size: number | null, most: number | null}} Thresholds
 * @typedef {{agree: string, rejected: string, guided: string, outline: string, keypoint: string, rim: string,
 *   graded: string[]}} Palette
 * @typedef {{count: number, candidates: number, arrays: Record<string, Packed>, methods: string[]}} PackedRows
 * @typedef {{count: number, arrays: Record<string, Packed>}} PackedKeypoints
 * @typedef {{kind: "pair" | "photo", photos: Photo[], rows: PackedRows | null,
 *   keypoints: (PackedKeypoints | null)[], geometry: GeometryFacts | null, thresholds: Thresholds,
 *   origin: string[], outlines: Packed[], palette: Palette, colours: string[]}} PageData
 * @typedef {{count: number, xy: Float32Array, size: Float32Array, angle: Float32Array | null,
 *   score: Float32Array | null}} Keypoints
 */

/** What is known of a row's place in the geometry. */
const UNKNOWN = 0;
const REJECTED = 1;
const AGREES = 2;
/** What agrees and passes by guided matching alone. */
const WON = 3;

const PAGE = /** @type {PageData} */ (JSON.parse(byId("data").textContent ?? "null"));

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found;
}

/**
 * @param {Packed} packed
 * @returns {Numbers}
 */
function unpacked(packed) {
  const text = atob(packed.base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const kinds = { Float32Array, Float64Array, Int32Array, Uint8Array };
  return new kinds[packed.type](bytes.buffer);
}

/**
 * @param {Record<string, Packed>} arrays
 * @param {string} name
 * @returns {Float32Array | null}
 */
function floats(arrays, name) {
  return name in arrays ? /** @type {Float32Array} */ (unpacked(arrays[name])) : null;
}

/** @type {(Keypoints | null)[]} */
const KEYPOINTS = PAGE.keypoints.map((packed) => {
  if (!packed) return null;
  const { arrays, count } = packed;
  const none = new Float32Array(0);
  return {
    count,
    xy: floats(arrays, "xy") ?? none,
    size: floats(arrays, "size") ?? none,
    angle: floats(arrays, "angle"),
    score: floats(arrays, "score"),
  };
});

/**
 * The rows of the page: matches of a pair, or the keypoints of one photo.
 * @typedef {object} Rows
 * @property {number} count
 * @property {number} candidates how many of the first rows the thresholds act on
 * @property {Float32Array[]} xy of each photo: x and y in turn
 * @property {(Float32Array | null)[]} size
 * @property {(Float32Array | null)[]} angle
 * @property {Int32Array | null} pairs keypoints in photo A and B in turn; -1 where there is none
 * @property {Float32Array | null} distance
 * @property {Float32Array | null} second
 * @property {Float32Array | null} ratio
 * @property {Float32Array | null} score
 * @property {Uint8Array | null} mutual
 * @property {Uint8Array} judged
 * @property {Uint8Array} guided
 * @property {Uint8Array} kept
 * @property {Float32Array | null} residual
 * @property {Uint8Array | null} method
 * @property {string[]} methods
 */

/** @type {Rows} */
const ROWS = PAGE.rows ? matchRows(PAGE.rows) : keypointRows();

/**
 * @param {PackedRows} packed
 * @returns {Rows}
 */
function matchRows({ count, candidates, arrays, methods }) {
  const pairs = "pairs" in arrays ? /** @type {Int32Array} */ (unpacked(arrays.pairs)) : null;
  /** @param {string} name */
  const flags = (name) =>
    name in arrays ? /** @type {Uint8Array} */ (unpacked(arrays[name])) : new Uint8Array(count);
  const distance = floats(arrays, "distance");
  const second = floats(arrays, "second_distance");
  /** @type {Rows} */
  const rows = {
    count,
    candidates,
    xy: [],
    size: [],
    angle: [],
    pairs,
    distance,
    second,
    ratio: distance && second && distance.map((d, i) => (second[i] === 0 ? 1 : d / second[i])),
    score: floats(arrays, "score"),
    mutual: "mutual" in arrays ? flags("mutual") : null,
    judged: flags("judged"),
    guided: flags("guided"),
    kept: flags("kept"),
    residual: floats(arrays, "residual"),
    method: "method" in arrays ? flags("method") : null,
    methods,
  };
  for (const photo of [0, 1]) {
    const keypoints = KEYPOINTS[photo];
    const own = floats(arrays, `xy${photo}`);
    if (own || !keypoints || !pairs) {
      rows.xy.push(own ?? new Float32Array(2 * count));
      rows.size.push(floats(arrays, `size${photo}`));
      rows.angle.push(floats(arrays, `angle${photo}`));
      continue;
    }
    const of = Int32Array.from({ length: count }, (_, i) => pairs[2 * i + photo]);
    rows.xy.push(Float32Array.from({ length: 2 * count }, (_, i) => keypoints.xy[2 * of[i >> 1] + (i & 1)]));
    rows.size.push(Float32Array.from(of, (k) => keypoints.size[k]));
    const angle = keypoints.angle;
    rows.angle.push(angle && Float32Array.from(of, (k) => angle[k]));
  }
  return rows;
}

/** @returns {Rows} */
function keypointRows() {
  const keypoints = KEYPOINTS[0];
  const count = keypoints?.count ?? 0;
  return {
    count,
    candidates: count,
    xy: [keypoints?.xy ?? new Float32Array(0)],
    size: [keypoints?.size ?? null],
    angle: [keypoints?.angle ?? null],
    pairs: null,
    distance: null,
    second: null,
    ratio: null,
    score: keypoints?.score ?? null,
    mutual: null,
    judged: new Uint8Array(count),
    guided: new Uint8Array(count),
    kept: new Uint8Array(count).fill(1),
    residual: null,
    method: null,
    methods: [],
  };
}

/** How far each row is from the geometry in pixels, and whether that is within its bound. */
const { RESIDUAL, STATE } = placed();

/** @returns {{RESIDUAL: Float64Array, STATE: Uint8Array}} */
function placed() {
  const residual = new Float64Array(ROWS.count).fill(NaN);
  const state = new Uint8Array(ROWS.count);
  const { geometry } = PAGE;
  if (!geometry) return { RESIDUAL: residual, STATE: state };
  const distanceOf = geometry.matrix ? residuals(geometry, ROWS) : null;
  for (let i = 0; i < ROWS.count; i++) {
    const known = ROWS.residual?.[i];
    residual[i] = known !== undefined && !Number.isNaN(known) ? known : (distanceOf?.[i] ?? NaN);
    // What was judged keeps its judgement; the rest is held against the same bound.
    state[i] = ROWS.judged[i] || (residual[i] <= geometry.max_error ? AGREES : REJECTED);
  }
  return { RESIDUAL: residual, STATE: state };
}

/** Rows that were judged to agree: places of the other photo are interpolated from these. */
const AGREEING = Array.from(STATE.keys()).filter((i) => ROWS.judged[i] === AGREES);

/** The homography from each photo to the other, and which side of its horizon is seen; none for other models. */
const FROM = PAGE.geometry?.matrix && PAGE.geometry.planar
  ? [PAGE.geometry.matrix, adjugate(PAGE.geometry.matrix)].map((matrix, photo) => (
    { matrix, front: sideOfMost(matrix, ROWS.xy[photo], ROWS.judged) }))
  : [];
