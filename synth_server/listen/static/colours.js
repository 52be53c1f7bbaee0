// Colours of log-mel levels. Lightness goes one way from silence to full scale, so the pictures can be read without
// seeing hues; on white paper silence is light, on a dark page it is dark.

const MAPS = {
  dark: ["#14111b", "#2a1850", "#4f127b", "#812581", "#b5367a", "#e55964", "#fb8761", "#fec287", "#fcfdbf"],
  light: ["#fdfaf3", "#fde3c4", "#fcbf92", "#f79468", "#e0605f", "#b5367a", "#812581", "#4a1270", "#1d0f3f"],
};

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Calls `paint` whenever the scheme changes. */
export function onScheme(paint) {
  dark.addEventListener("change", paint);
}

/** The colour of each of 256 levels, (256 * 3) bytes. */
export function levels() {
  const stops = MAPS[dark.matches ? "dark" : "light"].map((colour) =>
    [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  const table = new Uint8ClampedArray(256 * 3);
  for (let level = 0; level < 256; level++) {
    const place = (level / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      table[3 * level + channel] = stops[low][channel] + (place - low) * (stops[low + 1][channel] - stops[low][channel]);
    }
  }
  return table;
}
