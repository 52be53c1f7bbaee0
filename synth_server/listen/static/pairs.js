// Pairs as the page holds them: what the server says of one, its pictures, and its sounds once somebody wants them.
// The last few dozen are kept, and those that may come next are fetched early, so that most steps are immediate.

import { ask, sound } from "./api.js";

const KEPT = 48;
const kept = new Map();

/** The path of a pair, below /api/ for `what` about it. */
export function path(place, what = "") {
  return `/api/pair/${place.index}/${place.pair}${what}${place.query ? `?${place.query}` : ""}`;
}

/** The pair at {index, pair, query}; rejects with a `Problem`. */
export function pairAt(place) {
  const key = path(place);
  const found = kept.get(key) ?? ask(key).then((about) => new Pair(place, about));
  kept.delete(key);
  kept.set(key, found);
  found.catch(() => kept.delete(key));
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return found;
}

/** Fetch a pair and its sounds before they are asked for; whatever goes wrong will be told when they are. */
export function prefetch(place) {
  pairAt(place).then((pair) => Promise.all([pair.sound("a"), pair.sound("b")])).catch(() => {});
}

class Pair {
  constructor(place, about) {
    this.place = place;
    this.about = about;
    this.seconds = about.stream.seconds;
    this.sounds = {};
  }

  /** The log-mel picture of view 0 or 1. */
  picture(view) {
    const { views, bands, hop_seconds, window_seconds } = this.about.log_mel;
    const levels = Uint8Array.from(atob(views[view]), (character) => character.charCodeAt(0));
    const frames = levels.length / bands;
    return { levels, bands, frames, hopSeconds: hop_seconds, windowSeconds: window_seconds, seconds: this.seconds };
  }

  /** The samples of view "a" or "b". */
  sound(view) {
    this.sounds[view] ??= sound(path(this.place, `/${view}.wav`)).catch((error) => {
      delete this.sounds[view];
      throw error;
    });
    return this.sounds[view];
  }

  /** How alike the encoder finds both views: {cosine, by}. */
  alike() {
    this.compared ??= ask(path(this.place, "/cosine")).catch((error) => {
      delete this.compared;
      throw error;
    });
    return this.compared;
  }
}
