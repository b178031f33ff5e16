// @ts-check
// Lines while things move: a loop of our own over pixels, since without a graphics card a canvas takes many frames
// to stroke 5000 of them (benchmarks/view.py). Once all is still, the canvas draws them smoothly.
"use strict";

/**
 * @param {string} colour "#rrggbb"
 * @param {number} [alpha]
 * @returns {number} the pixel of an ImageData as one number
 */
function pixelOf(colour, alpha = 1) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return ((Math.round(255 * alpha) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/**
 * Draw a line one pixel wide between two points that lie inside.
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @param {number} colour
 */
function quickLine(pixels, width, height, x0, y0, x1, y1, colour) {
  const steep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
  // Along the longer side every step is one pixel; the other coordinate has 16 bits behind its point.
  let [from, to, start, end] = steep ? [y0, y1, x0, x1] : [x0, x1, y0, y1];
  if (from > to) [from, to, start, end] = [to, from, end, start];
  const [long, across] = steep ? [height, width] : [width, height];
  const first = Math.min(long - 1, Math.max(0, Math.round(from)));
  const last = Math.min(long - 1, Math.max(0, Math.round(to)));
  const slope = to > from ? (end - start) / (to - from) : 0;
  const most = across * 65536 - 1;
  const at0 = (start + 0.5 + (first - from) * slope) * 65536;
  const at1 = at0 + slope * 65536 * (last - first);
  let at = Math.round(Math.min(most, Math.max(0, at0)));
  const step = last > first ? Math.trunc((Math.min(most, Math.max(0, at1)) - at) / (last - first)) : 0;
  if (steep) {
    for (let row = first * width, stop = last * width; row <= stop; row += width, at += step) {
      pixels[row + (at >> 16)] = colour;
    }
  } else {
    for (let x = first; x <= last; x++, at += step) pixels[(at >> 16) * width + x] = colour;
  }
}

/**
 * Draw a square of three pixels a side, as far as it lies inside.
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} x
 * @param {number} y
 * @param {number} colour
 */
function quickDot(pixels, width, height, x, y, colour) {
  const [left, top] = [Math.round(x) - 1, Math.round(y) - 1];
  if (left < 0 || top < 0 || left + 3 > width || top + 3 > height) return;
  for (let row = top; row < top + 3; row++) pixels.fill(colour, row * width + left, row * width + left + 3);
}
