// Canvases: a waveform, a log-mel picture, and the scale of its colours. Each paints what it is given, and again when
// its size or the colour scheme changes.

import { levels, onScheme } from "./colours.js";

const painters = new Map();
const sizes = new ResizeObserver((entries) => entries.forEach((entry) => painters.get(entry.target)?.()));
onScheme(() => painters.forEach((paint) => paint()));

function keepPainted(canvas, paint) {
  painters.set(canvas, paint);
  sizes.observe(canvas);
  paint();
}

/** The context of a canvas as fine as the screen, cleared; null while it has no size. */
function fresh(canvas) {
  const finer = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((pixels) => Math.round(pixels * finer));
  if (!width || !height) return null;
  canvas.width = width;
  canvas.height = height;
  return canvas.getContext("2d");
}

/** Samples (T,) as the outline of their extremes, in the canvas's own colour. */
export function waveform(canvas, samples) {
  keepPainted(canvas, () => {
    const context = fresh(canvas);
    if (!context) return;
    const { width, height } = canvas;
    const middle = height / 2;
    context.fillStyle = getComputedStyle(canvas).color;
    for (let x = 0; x < width; x++) {
      const [begin, end] = [x, x + 1].map((place) => Math.floor((place / width) * samples.length));
      let [low, high] = [0, 0];
      for (let i = begin; i < Math.max(end, begin + 1); i++) {
        low = Math.min(low, samples[i]);
        high = Math.max(high, samples[i]);
      }
      const top = middle - high * (middle - 1);
      context.fillRect(x, top, 1, Math.max(1, middle - low * (middle - 1) - top));
    }
  });
}

/** A log-mel picture over the time of the sound: frames stand where they were heard. */
export function logMel(canvas, picture) {
  keepPainted(canvas, () => {
    const context = fresh(canvas);
    if (!context) return;
    const colours = levels();
    const { width, height } = canvas;
    const image = bitmap(picture, colours);
    const left = ((picture.windowSeconds - picture.hopSeconds) / 2 / picture.seconds) * width;
    const right = left + ((picture.frames * picture.hopSeconds) / picture.seconds) * width;
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, 1, picture.bands, 0, 0, left, height); // before the first frame's middle
    context.drawImage(image, picture.frames - 1, 0, 1, picture.bands, right, 0, Math.max(0, width - right), height);
    context.drawImage(image, left, 0, right - left, height);
  });
}

/** The colours from silence to full scale, left to right. */
export function scale(canvas) {
  keepPainted(canvas, () => {
    const ramp = Uint8Array.from({ length: 256 }, (_, level) => level);
    canvas.getContext("2d").drawImage(bitmap({ frames: 256, bands: 1, levels: ramp }, levels()), 0, 0);
  });
}

/** One pixel per frame and band, low bands at the bottom. */
function bitmap({ frames, bands, levels: bytes }, colours) {
  const canvas = document.createElement("canvas");
  canvas.width = frames;
  canvas.height = bands;
  const context = canvas.getContext("2d");
  const image = context.createImageData(frames, bands);
  for (let frame = 0; frame < frames; frame++) {
    for (let band = 0; band < bands; band++) {
      const level = 3 * bytes[frame * bands + band];
      const pixel = 4 * ((bands - 1 - band) * frames + frame);
      image.data.set([colours[level], colours[level + 1], colours[level + 2], 255], pixel);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
