// @ts-check
// When what is drawn: at the next frame, only what changed, coarsely while it moves, and well once it is still.
"use strict";

const STILL_MS = 140;
// Above and below these times a frame movement is drawn more coarsely, and finer.
const [SLOW_MS, FAST_MS] = [22, 18];
// Pixels to one of CSS while things move, for each step of coarseness; never more than the screen has.
const [PHOTO_DENSITY, LINE_DENSITY] = [[3, 1, 0.5], [1, 0.5, 0.5]];

const LAYERS = {
  photos: new Layer("layer-photos"),
  quick: new Layer("layer-quick"),
  lines: new Layer("layer-lines"),
  marks: new Layer("layer-marks"),
};

const drawing = {
  asked: false,
  photos: true,
  lines: true,
  /** Whether something has moved since the last frame. */
  moving: false,
  timer: 0,
  /** How long frames take while things move, in ms, on the average of the last few. */
  pace: 0,
  /** How coarse things are drawn while they move: a machine without a graphics card keeps up. */
  coarse: 0,
};

/**
 * Draw at the next frame.
 * @param {{photos?: boolean, lines?: boolean, moving?: boolean}} what
 */
function redraw({ photos = false, lines = false, moving = false } = {}) {
  drawing.photos ||= photos;
  drawing.lines ||= lines || photos;
  drawing.moving ||= moving;
  if (drawing.asked) return;
  drawing.asked = true;
  requestAnimationFrame(frame);
}

/** @param {number} now */
function frame(now) {
  const { moving, photos, lines } = drawing;
  drawing.asked = drawing.moving = drawing.photos = drawing.lines = false;
  if (moving) requestAnimationFrame((next) => keepPace(next - now));
  if (photos) drawPhotos(moving ? PHOTO_DENSITY[drawing.coarse] : undefined);
  if (lines) {
    const quick = moving && selection.shown.length > FEW && state.flicker === "off";
    LAYERS.quick.canvas.hidden = !quick;
    LAYERS.lines.canvas.hidden = quick;
    if (quick) drawQuickly();
    else drawLines();
  }
  if (moving) {
    window.clearTimeout(drawing.timer);
    drawing.timer = window.setTimeout(() => {
      if (drawing.pace < FAST_MS) drawing.coarse = Math.max(0, drawing.coarse - 1);
      redraw({ photos: true });
    }, STILL_MS);
  }
  drawMarks();
}

/**
 * Draw more coarsely if frames take too long.
 * @param {number} time of the last one, in ms
 */
function keepPace(time) {
  drawing.pace += 0.25 * (time - drawing.pace);
  if (drawing.pace <= SLOW_MS || drawing.coarse + 1 >= PHOTO_DENSITY.length) return;
  drawing.coarse++;
  drawing.pace = 0; // time to show what this gains
}

/** Fit the canvases to the stage. */
function fitLayers() {
  for (const layer of Object.values(LAYERS)) layer.fit(STAGE.clientWidth, STAGE.clientHeight);
}
