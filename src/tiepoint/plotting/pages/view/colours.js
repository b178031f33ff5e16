// @ts-check
// Colours by a value: sixteen steps of the palette, the best value bright.
"use strict";

/** @typedef {{step: (row: number) => number, first: string, last: string}} Colouring */

/** @type {Map<string, Colouring>} emptied when other rows pass */
const COLOURINGS = new Map();

/**
 * The values that a colouring is named after, the larger the brighter or the other way.
 * @param {string} name
 * @returns {{values: ArrayLike<number>, best: "low" | "high", words: [string, string]} | null}
 */
function colouredBy(name) {
  const size = ROWS.size[0];
  if (name === "distance" && ROWS.distance) return { values: ROWS.distance, best: "low", words: ["near", "less near"] };
  if (name === "ratio" && ROWS.ratio) return { values: ROWS.ratio, best: "low", words: ["distinct", "less distinct"] };
  if (name === "score" && ROWS.score) return { values: ROWS.score, best: "high", words: ["high", "low"] };
  if (name === "scale" && size) {
    return { values: size.map((s) => Math.log2(Math.max(s, 0.1))), best: "high", words: ["large", "small"] };
  }
  return null;
}

/**
 * @param {string} name
 * @returns {Colouring | null} null where a colour stands for no value
 */
function coloured(name) {
  const known = COLOURINGS.get(name);
  if (known) return known;
  const by = colouredBy(name);
  if (!by) return null;
  const { values, best, words } = by;
  let [low, high] = [Infinity, -Infinity];
  for (const i of selection.passed) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const steps = PAGE.palette.graded.length;
  const scale = high > low ? steps / (high - low) : 0;
  /** @param {number} row */
  const step = (row) => {
    const from = best === "low" ? values[row] - low : high - values[row];
    return Math.min(steps - 1, Math.max(0, Math.floor(from * scale) || 0));
  };
  /** @param {number} value */
  const said = (value) => (Number.isFinite(value) ? short(name === "scale" ? 2 ** value : value) : "");
  const ends = best === "low" ? [low, high] : [high, low];
  const unit = name === "scale" ? " px" : "";
  const colouring = {
    step,
    first: `${words[0]}, ${said(ends[0])}${unit}`,
    last: `${words[1]}, ${said(ends[1])}${unit}`,
  };
  COLOURINGS.set(name, colouring);
  return colouring;
}

/**
 * A number with three digits that count.
 * @param {number} value
 */
function short(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "∞";
}
