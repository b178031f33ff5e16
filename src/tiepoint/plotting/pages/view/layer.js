// @ts-check
// A canvas over the stage, as sharp as the screen.
"use strict";

class Layer {
  /** @param {string} id of the canvas */
  constructor(id) {
    this.canvas = /** @type {HTMLCanvasElement} */ (byId(id));
    this.density = 1; // pixels to one of CSS
    const pen = this.canvas.getContext("2d");
    if (!pen) throw new Error("this browser draws no canvas");
    this.pen = pen;
    /** @type {ImageData | null} */
    this.image = null;
  }

  /**
   * @param {number} width in pixels of CSS
   * @param {number} height
   * @param {number} [most] pixels to one of CSS; never more than the screen has
   */
  fit(width, height, most = 3) {
    this.density = Math.min(most, window.devicePixelRatio || 1);
    const size = [width, height].map((length) => Math.max(1, Math.round(length * this.density)));
    if (this.canvas.width === size[0] && this.canvas.height === size[1]) return;
    [this.canvas.width, this.canvas.height] = size;
    this.image = null;
  }

  /** Empty, with a pen that measures in pixels of CSS. */
  cleared() {
    this.pen.setTransform(1, 0, 0, 1, 0, 0);
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    return this;
  }

  /** The pixels themselves, to be drawn by loops and put back. */
  raster() {
    this.image ??= this.pen.createImageData(this.canvas.width, this.canvas.height);
    return { image: this.image, pixels: new Uint32Array(this.image.data.buffer), pen: this.pen };
  }
}
