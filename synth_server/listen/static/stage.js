// Both views under each other on one axis of time: what they look like, where the playing is, what is under the pointer.

import { byId, make } from "./dom.js";
import { logMel, scale, waveform } from "./pictures.js";

const HERTZ = [200, 500, 1000, 2000, 5000, 10000, 20000];
const views = [...document.querySelectorAll(".view")];
scale(byId("scale"));

/** Show a pair. */
export async function show(pair) {
  byId("stage").ariaBusy = "true";
  const sounds = await Promise.all(["a", "b"].map((view) => pair.sound(view)));
  views.forEach((element, at) => {
    const [wave, mel] = element.querySelectorAll("canvas");
    const peak = sounds[at].samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    waveform(wave, sounds[at].samples);
    logMel(mel, pair.picture(at));
    wave.ariaLabel = `Waveform of view ${"ab"[at]}, ${seconds(pair.seconds)}, peak ${decibels(20 * Math.log10(peak))}`;
    mel.ariaLabel = `Log-mel spectrogram of view ${"ab"[at]}, ${hertz(edges(pair)[0])} to ${hertz(edges(pair).at(-1))}`;
    element.querySelector(".hertz").replaceChildren(...hertzTicks(pair));
  });
  byId("seconds").replaceChildren(...secondTicks(pair.seconds));
  byId("stage").ariaBusy = "false";
}

/** Mark the view of this pair that plays, and move the playhead while it does. */
export function follow(player, pair) {
  const ours = player.playing && player.pair === pair;
  views.forEach((element) => element.classList.toggle("playing", ours && element.dataset.view === player.view));
  const playhead = byId("playhead");
  playhead.hidden = !ours;
  if (!ours) return;
  playhead.style.setProperty("--at", player.position / pair.seconds);
  requestAnimationFrame(() => follow(player, pair));
}

/** `play(view, seconds)` where somebody clicks; what is under the pointer is read out. */
export function onPointer(current, play) {
  for (const element of views) {
    for (const canvas of element.querySelectorAll("canvas")) {
      canvas.addEventListener("click", (event) => {
        if (current()) play(element.dataset.view, share(canvas, event)[0] * current().seconds);
      });
    }
    const mel = element.querySelector(".mel");
    mel.addEventListener("pointermove", (event) => current() && read(current(), views.indexOf(element), mel, event));
    mel.addEventListener("pointerleave", () => { byId("readout").textContent = ""; });
  }
}

function read(pair, view, canvas, event) {
  const picture = pair.picture(view);
  const [right, up] = share(canvas, event);
  const at = right * pair.seconds;
  const band = Math.min(picture.bands - 1, Math.floor(up * picture.bands));
  const frame = Math.round((at - picture.windowSeconds / 2) / picture.hopSeconds);
  const level = picture.levels[Math.max(0, Math.min(picture.frames - 1, frame)) * picture.bands + band];
  byId("readout").textContent =
    `${"ab"[view]}   ${at.toFixed(2)} s   ${hertz(edges(pair)[band + 1])}   ${decibels((level / 255) * 80)}`;
}

/** Where in a canvas the pointer is: from the left and from the bottom, 0 to 1. */
function share(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height]
    .map((part) => Math.max(0, Math.min(0.9999, part)));
}

const edges = (pair) => pair.about.log_mel.edges_hertz;

/** Round frequencies at the height of the bands that peak there. */
function hertzTicks(pair) {
  const peaks = edges(pair).slice(1, -1);
  return HERTZ.filter((each) => each > peaks[0] && each < peaks.at(-1)).map((each) => {
    const above = peaks.findIndex((peak) => peak >= each);
    const band = above - (peaks[above] - each) / (peaks[above] - peaks[above - 1]);
    const text = each >= 1000 ? `${each / 1000} kHz` : `${each} Hz`;
    return make("span", { style: { bottom: `${(100 * (band + 0.5)) / peaks.length}%` } }, text);
  });
}

function secondTicks(length) {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((each) => length / each <= 5.001) ?? length;
  const count = Math.floor(length / step + 1e-6);
  return Array.from({ length: count + 1 }, (_, at) =>
    make("span", { style: { left: `${(100 * at * step) / length}%` } }, at === count ? seconds(at * step) : `${+(at * step).toFixed(3)}`));
}

const hertz = (number) => `${Math.round(number).toLocaleString("en")} Hz`;
const seconds = (number) => `${+number.toFixed(3)} s`;
const decibels = (number) => (Number.isFinite(number) ? `${number.toFixed(0).replace("-", "−")} dB` : "silence");
