// @ts-check
// Which rows pass the thresholds, counted stage by stage as Matches.where counts them.
"use strict";

/**
 * @typedef {object} Chosen
 * @property {[string, number][]} stages what each stage left
 * @property {Int32Array} passing candidates that pass all but the limit of their number, strongest first
 * @property {Int32Array} passed those within the limit, and behind them what guided matching has won besides
 * @property {Uint8Array} passes 1 for the rows that passed
 * @property {Uint8Array} kinds of all rows: what is known of each, or that it was won
 * @property {Int32Array} shown those that passed and whose kind is switched on
 * @property {number[]} counts of the passed by their kind
 */

/** @typedef {{agree: boolean, rejected: boolean, guided: boolean, keypoints: boolean}} Switches */

/** Candidates from the strongest to the weakest, as Matches.strongest ranks them; ties in their order. */
const RANKED = ranked();

/** @returns {Int32Array} */
function ranked() {
  const { score, ratio, distance, candidates } = ROWS;
  const order = Int32Array.from({ length: candidates }, (_, i) => i);
  if (score) return order.sort((a, b) => score[b] - score[a] || a - b);
  const value = ratio ?? distance;
  return value ? order.sort((a, b) => value[a] - value[b] || a - b) : order;
}

/**
 * The stages that there are, each with its test. All numbers are doubles here, as they are in Python.
 * @param {Thresholds} thresholds
 * @returns {[string, (row: number) => boolean][]}
 */
function stagesOf(thresholds) {
  const { mutual, distance, second, score } = ROWS;
  const size = PAGE.kind === "photo" ? ROWS.size[0] : null;
  /** @type {[string, (row: number) => boolean][]} */
  const stages = [];
  if (mutual && thresholds.mutual) stages.push(["mutual", (i) => mutual[i] === 1]);
  if (distance && second) {
    const { ratio } = thresholds;
    stages.push(["ratio", (i) => ratio === null || distance[i] < ratio * second[i]]);
  }
  if (distance) {
    const most = thresholds.distance;
    stages.push(["distance", (i) => most === null || distance[i] <= most]);
  }
  if (size) {
    const least = thresholds.size === null ? null : Math.fround(thresholds.size);
    stages.push(["size", (i) => least === null || size[i] >= least]);
  }
  if (score) {
    // NumPy compares an array of single precision in single precision.
    const least = thresholds.score === null ? null : Math.fround(thresholds.score);
    stages.push(["score", (i) => least === null || score[i] >= least]);
  }
  return stages;
}

/**
 * @param {Thresholds} thresholds
 * @param {Switches} switches
 * @returns {Chosen}
 */
function select(thresholds, switches) {
  const stages = stagesOf(thresholds);
  const left = stages.map(() => 0);
  const passing = RANKED.filter((i) => {
    for (let k = 0; k < stages.length; k++) {
      if (!stages[k][1](i)) return false;
      left[k]++;
    }
    return true;
  });
  const strongest = thresholds.most === null ? passing : passing.subarray(0, thresholds.most);
  const passes = new Uint8Array(ROWS.count);
  for (const i of strongest) passes[i] = 1;
  const kinds = STATE.slice();
  /** @type {number[]} */
  const won = [];
  for (let i = 0; i < ROWS.count; i++) {
    if (!ROWS.guided[i] || passes[i]) continue;
    won.push(i);
    // The last refinement may have turned against some of them: these are rejected as any others.
    if (kinds[i] === AGREES) kinds[i] = WON;
    passes[i] = 1;
  }
  const passed = Int32Array.from([...strongest, ...won]);
  const counts = [0, 0, 0, 0];
  for (const i of passed) counts[kinds[i]]++;
  const on = [switches.agree, switches.rejected, switches.agree, switches.guided];
  return {
    stages: [...stages.map(([name], k) => /** @type {[string, number]} */ ([name, left[k]])),
      ["strongest", strongest.length]],
    passing,
    passed,
    passes,
    kinds,
    shown: passed.filter((i) => on[kinds[i]]),
    counts,
  };
}

/**
 * The values behind a slider, of the candidates that the cross-check leaves.
 * @param {Float32Array} values
 * @param {boolean} mutualOnly
 * @param {number} low
 * @param {number} high
 * @param {number} bins
 * @returns {{agree: Uint32Array, other: Uint32Array, largest: number}}
 */
function histogram(values, mutualOnly, low, high, bins) {
  const agree = new Uint32Array(bins);
  const other = new Uint32Array(bins);
  const scale = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < ROWS.candidates; i++) {
    if (mutualOnly && ROWS.mutual && !ROWS.mutual[i]) continue;
    if (!Number.isFinite(values[i])) continue;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((values[i] - low) * scale)));
    (STATE[i] === AGREES ? agree : other)[bin]++;
  }
  let largest = 0;
  for (let k = 0; k < bins; k++) largest = Math.max(largest, agree[k] + other[k]);
  return { agree, other, largest };
}
