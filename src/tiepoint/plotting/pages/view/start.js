// @ts-check
// Photos decoded, controls connected, first picture drawn.
"use strict";

async function start() {
  const images = PAGE.photos.map((_, photo) => /** @type {HTMLImageElement} */ (byId(`photo${photo}`)));
  await Promise.all(images.map((image) => image.decode()));
  makePyramids();
  document.documentElement.classList.add("running");
  connect();
  relayOut();
  update();
  drawing.moving = false;
  let width = STAGE.clientWidth;
  // Its height is what the layout makes it.
  new ResizeObserver(() => {
    if (STAGE.clientWidth === width) return;
    width = STAGE.clientWidth;
    relayOut();
  }).observe(STAGE);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showSliders());
}

void start();
