// @ts-check
// One photo laid over the other by the homography, shown in turn: what does not jump is aligned.
"use strict";

const FLICKER_MS = 700;
const MOST_ALIGNED = 1400; // pixels, the longer side

/** @type {HTMLCanvasElement | null} */
let alignedPhoto = null;
let flickerTimer = 0;

/** Photo B on the frame of photo A; made when first asked for. */
function aligned() {
  alignedPhoto ??= laidOver();
  return alignedPhoto;
}

/** @returns {HTMLCanvasElement} */
function laidOver() {
  const { matrix: H, front } = FROM[0];
  const [photo0, photo1] = PAGE.photos;
  const scale = Math.min(1, MOST_ALIGNED / Math.max(photo0.width, photo0.height));
  const target = document.createElement("canvas");
  target.width = Math.max(1, Math.round(photo0.width * scale));
  target.height = Math.max(1, Math.round(photo0.height * scale));
  // Of photo B a level that has about a pixel for each of the target, where A's middle is.
  const middle = carried(H, { x: photo0.width / 2, y: photo0.height / 2 }, front);
  const source = pixelsOf(levelFor(1, scale / Math.min(20, Math.max(0.05, middle?.scale ?? 1))));
  const pen = /** @type {CanvasRenderingContext2D} */ (target.getContext("2d"));
  const image = pen.createImageData(target.width, target.height);
  const [sx, sy] = [source.width / photo1.width, source.height / photo1.height];
  for (let row = 0, at = 0; row < target.height; row++) {
    const y = (row + 0.5) / (target.height / photo0.height) - 0.5;
    for (let column = 0; column < target.width; column++, at += 4) {
      const x = (column + 0.5) / (target.width / photo0.width) - 0.5;
      image.data[at + 3] = 255;
      const [u, v, w] = product(H, x, y);
      if (w * front <= 0) continue;
      sample(source, (u / w + 0.5) * sx - 0.5, (v / w + 0.5) * sy - 0.5, image.data, at);
    }
  }
  pen.putImageData(image, 0, 0);
  return target;
}

/**
 * @param {CanvasImageSource} level
 * @returns {ImageData}
 */
function pixelsOf(level) {
  const canvas = document.createElement("canvas");
  const { width, height } =
    level instanceof HTMLImageElement
      ? { width: level.naturalWidth, height: level.naturalHeight }
      : /** @type {HTMLCanvasElement} */ (level);
  [canvas.width, canvas.height] = [width, height];
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  pen.drawImage(level, 0, 0);
  return pen.getImageData(0, 0, width, height);
}

/**
 * Between four pixels; outside of the photo nothing.
 * @param {ImageData} source
 * @param {number} x
 * @param {number} y
 * @param {Uint8ClampedArray} target
 * @param {number} at
 */
function sample({ data, width, height }, x, y, target, at) {
  if (x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5) return;
  const left = Math.min(width - 2, Math.max(0, Math.floor(x)));
  const top = Math.min(height - 2, Math.max(0, Math.floor(y)));
  const [p, q] = [Math.min(1, Math.max(0, x - left)), Math.min(1, Math.max(0, y - top))];
  const first = 4 * (top * width + left);
  const below = first + 4 * width;
  for (let c = 0; c < 3; c++) {
    const upper = data[first + c] * (1 - p) + data[first + 4 + c] * p;
    const lower = data[below + c] * (1 - p) + data[below + 4 + c] * p;
    target[at + c] = upper * (1 - q) + lower * q;
  }
}

/** @param {boolean} on */
function setFlicker(on) {
  window.clearInterval(flickerTimer);
  state.flicker = on ? "A" : "off";
  // Photo B lies on the frame of A: what moves A moves both.
  state.leader = 0;
  byId("flicker").setAttribute("aria-pressed", String(on));
  byId("swap").hidden = !on;
  relayOut();
  // Nothing blinks for people who asked for less motion: they have the button.
  if (on && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    flickerTimer = window.setInterval(swapPhotos, FLICKER_MS);
  }
}

function swapPhotos() {
  state.flicker = state.flicker === "A" ? "B" : "A";
  byId("caption0").textContent = state.flicker === "A" ? `A ${PAGE.photos[0].name}` : `B ${PAGE.photos[1].name}`;
  redraw({ photos: true });
}
