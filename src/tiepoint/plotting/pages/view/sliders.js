// @ts-check
// The sliders of the thresholds, each with a field for the exact number and the histogram of its values.
"use strict";

/**
 * @typedef {object} Slider
 * @property {keyof Thresholds} name
 * @property {HTMLInputElement} range its last place stands for no threshold
 * @property {HTMLInputElement} field
 * @property {HTMLCanvasElement} chart
 * @property {Float32Array | null} values null for the number of matches
 * @property {number} low
 * @property {number} step
 * @property {number} steps
 * @property {boolean} least whether what is larger passes, and no threshold is at the left end
 */

const BINS = 60;

/** @type {Slider[]} */
const SLIDERS = [];

/** @param {keyof Thresholds} name */
function valuesOf(name) {
  if (name === "ratio") return ROWS.ratio;
  if (name === "distance") return ROWS.distance;
  if (name === "score") return ROWS.score;
  return name === "size" ? ROWS.size[0] : null;
}

/**
 * A step of 1, 2 or 5 times a power of ten that divides a range in 100 to 250.
 * @param {number} range
 */
function roundStep(range) {
  const wanted = range / 200;
  if (!(wanted > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * ([1, 2, 5].find((factor) => factor * power >= wanted * 0.8) ?? 10);
}

/** @param {HTMLElement} box */
function addSlider(box) {
  const name = /** @type {keyof Thresholds} */ (box.dataset.name);
  const values = valuesOf(name);
  let [low, step, steps, clipped] = [0, 1, 100, false];
  const least = name === "score" || name === "size";
  if (values) {
    let [smallest, largest] = [Infinity, -Infinity];
    for (let i = 0; i < ROWS.candidates; i++) {
      if (!Number.isFinite(values[i])) continue;
      smallest = Math.min(smallest, values[i]);
      largest = Math.max(largest, values[i]);
    }
    if (!(largest >= smallest)) [smallest, largest] = [0, 1];
    if (name === "ratio") [smallest, largest] = [0, 1];
    // A few giants would squeeze all others into the first bars: they share the last one.
    const usual = least ? quantile(values, 0.99) : largest;
    clipped = largest - smallest > 2 * (usual - smallest) && usual > smallest;
    if (clipped) largest = usual;
    const whole = name === "distance" && values.every((value) => Number.isInteger(value));
    step = name === "ratio" ? 0.01 : Math.max(whole ? 1 : 0, roundStep(largest - smallest));
    low = Math.floor(smallest / step) * step;
    steps = Math.max(1, Math.ceil((largest - low) / step));
  }
  /** @type {Slider} */
  const slider = {
    name, values, low, step, steps, least,
    range: /** @type {HTMLInputElement} */ (box.querySelector("input[type=range]")),
    field: /** @type {HTMLInputElement} */ (box.querySelector("input[type=number]")),
    chart: /** @type {HTMLCanvasElement} */ (box.querySelector("canvas")),
  };
  if (clipped) {
    const remark = /** @type {HTMLElement} */ (box.querySelector("small"));
    remark.textContent = `last bar: ${short(low + steps * step)} and more`;
    remark.hidden = false;
  }
  slider.range.min = "0";
  slider.range.max = String(steps + 1);
  slider.range.addEventListener("input", () => {
    choose(name, valueAt(slider, Number(slider.range.value)));
  });
  slider.field.addEventListener("input", () => {
    const value = slider.field.value === "" ? null : Number(slider.field.value);
    const wrong = slider.field.validity.badInput || (value !== null && !isThreshold(name, value));
    slider.field.setAttribute("aria-invalid", String(wrong));
    if (!wrong) choose(name, value === null ? null : name === "most" ? Math.floor(value) : value, slider.field);
  });
  SLIDERS.push(slider);
}

/**
 * Whether Python takes a number as this threshold.
 * @param {keyof Thresholds} name
 * @param {number} value
 */
function isThreshold(name, value) {
  if (!Number.isFinite(value)) return false;
  if (name === "ratio") return value > 0 && value <= 1;
  if (name === "most") return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
  return name === "score" || value >= 0;
}

/**
 * @param {Float32Array} values
 * @param {number} part
 */
function quantile(values, part) {
  const sorted = values.filter(Number.isFinite).sort();
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
}

/**
 * The threshold at a place of the slider: a decimal number that Python reads as the same.
 * @param {Slider} slider
 * @param {number} at
 * @returns {number | null} null for none
 */
function valueAt(slider, at) {
  if (slider.name === "most") {
    return at > slider.steps ? null : Math.round((selection.passing.length * at) / (slider.steps + 1));
  }
  const place = slider.least ? at - 1 : at;
  if (slider.least ? at === 0 : at > slider.steps) return null;
  const value = Number((slider.low + place * slider.step).toPrecision(12));
  return slider.name === "ratio" ? Math.max(0.01, value) : value;
}

/**
 * @param {Slider} slider
 * @param {number | null} value
 */
function placeOf(slider, value) {
  if (value === null) return slider.least ? 0 : slider.steps + 1;
  if (slider.name === "most") {
    return Math.round((value * (slider.steps + 1)) / Math.max(1, selection.passing.length));
  }
  return Math.round((value - slider.low) / slider.step) + (slider.least ? 1 : 0);
}

/**
 * Set a threshold and let the page follow.
 * @param {keyof Thresholds} name
 * @param {number | null} value
 * @param {HTMLInputElement} [typed] the field in which it was typed, which is left as it is
 */
function choose(name, value, typed) {
  Object.assign(state.thresholds, { [name]: value });
  update(typed);
}

/** @param {HTMLInputElement} [typed] */
function showSliders(typed) {
  for (const slider of SLIDERS) {
    const value = /** @type {number | null} */ (state.thresholds[slider.name]);
    slider.range.value = String(placeOf(slider, value));
    slider.range.setAttribute("aria-valuetext", value === null ? "off" : String(value));
    if (slider.field !== typed) {
      slider.field.value = value === null ? "" : String(value);
      slider.field.removeAttribute("aria-invalid");
    }
    drawChart(slider, value);
  }
}

/**
 * Bars behind a slider: what agrees, and on top of it what does not; pale where the threshold cuts it off.
 * @param {Slider} slider
 * @param {number | null} value
 */
function drawChart(slider, value) {
  const { chart, steps, step, low, least } = slider;
  const density = Math.min(3, window.devicePixelRatio || 1);
  const [width, height] = [chart.clientWidth * density, chart.clientHeight * density];
  if (!width) return;
  if (chart.width !== Math.round(width)) chart.width = Math.round(width);
  if (chart.height !== Math.round(height)) chart.height = Math.round(height);
  const pen = chart.getContext("2d");
  if (!pen) return;
  pen.clearRect(0, 0, chart.width, chart.height);
  const high = low + (steps + 1) * step;
  const bars = slider.values
    ? histogram(slider.values, state.thresholds.mutual, low, high, BINS)
    : byRank();
  const bins = bars.agree.length;
  const wide = chart.width / bins;
  const scale = chart.height / Math.max(1, bars.largest);
  const colours = [PAGE.palette.agree, PAGE.geometry ? PAGE.palette.rejected : PAGE.palette.agree];
  for (let k = 0; k < bins; k++) {
    const share = (k + 0.5) / bins;
    const middle = slider.values ? low + share * (high - low) : share * selection.passing.length;
    const cut = value !== null && (least ? middle < value : middle > value);
    pen.globalAlpha = cut ? 0.25 : 1;
    const [blue, red] = [bars.agree[k] * scale, bars.other[k] * scale];
    pen.fillStyle = colours[0];
    pen.fillRect(k * wide, chart.height - blue, wide - 0.5, blue);
    pen.fillStyle = colours[1];
    pen.fillRect(k * wide, chart.height - blue - red, wide - 0.5, red);
  }
  pen.globalAlpha = 1;
}

/** How many agree among the strongest, the next, and so on: what the number of matches cuts off. */
function byRank() {
  const { passing } = selection;
  const bins = Math.max(1, Math.min(BINS, passing.length));
  const agree = new Float64Array(bins);
  const other = new Float64Array(bins);
  const all = new Uint32Array(bins);
  passing.forEach((row, rank) => {
    const bin = Math.min(bins - 1, Math.floor((rank * bins) / passing.length));
    (STATE[row] === AGREES || !PAGE.geometry ? agree : other)[bin]++;
    all[bin]++;
  });
  for (let k = 0; k < bins; k++) {
    agree[k] /= all[k] || 1;
    other[k] /= all[k] || 1;
  }
  return { agree, other, largest: 1 };
}
