// Plays one view at a time of one pair. `swap` goes on in the other view at the same place, which is how a small
// difference is heard best. Positions are seconds since the sound began.

import { Problem } from "./api.js";

const FADE_SECONDS = 0.008;
const OTHER = { a: "b", b: "a" };

export class Player {
  /** `changed` is called whenever what plays is another; `failed` with a problem. */
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.pair = null;
    this.view = "a";
    this.playing = false;
    this.loop = false;
    this.plan = ["a", "b"];
    this.asked = 0;
  }

  /** Play these views of `pair` one after the other; the first from `offset` on. */
  async play(pair, plan, offset = 0) {
    this.context ??= new AudioContext();
    this.context.resume();
    const asked = ++this.asked;
    try {
      const sounds = await Promise.all(["a", "b"].map((view) => pair.sound(view)));
      if (asked !== this.asked) return;
      this.buffers = Object.fromEntries(["a", "b"].map((view, at) => [view, this.buffer(sounds[at])]));
    } catch (error) {
      this.failed(error);
      return;
    }
    this.pair = pair;
    this.plan = plan;
    this.start(plan[0], plan.slice(1), offset);
  }

  /** From the view that plays to the other one, at the same place; if none plays, the other from its beginning. */
  swap(pair) {
    if (!this.playing) return this.play(pair, [OTHER[this.view]]);
    this.plan = [OTHER[this.view]];
    return this.start(this.plan[0], [], this.position);
  }

  stop() {
    this.asked++;
    this.silence();
    this.playing = false;
    this.changed();
  }

  /** Where it is, from 0 to the length of the sound. */
  get position() {
    if (!this.playing) return 0;
    return Math.min(Math.max(0, this.context.currentTime - this.began), this.buffers[this.view].duration);
  }

  start(view, rest, offset) {
    this.silence();
    const { context } = this;
    const source = new AudioBufferSourceNode(context, { buffer: this.buffers[view] });
    const gain = new GainNode(context, { gain: 0 });
    source.connect(gain).connect(context.destination);
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.gain.linearRampToValueAtTime(1, context.currentTime + (offset ? FADE_SECONDS : 0.001));
    source.onended = () => this.source === source && this.next(rest);
    source.start(0, offset);
    Object.assign(this, { source, gain, view, playing: true, began: context.currentTime - offset });
    this.changed();
  }

  next(rest) {
    this.source = null;
    if (rest.length) this.start(rest[0], rest.slice(1), 0);
    else if (this.loop) this.start(this.plan[0], this.plan.slice(1), 0);
    else this.stop();
  }

  silence() {
    if (!this.source) return;
    const { source, gain, context } = this;
    this.source = null;
    gain.gain.setTargetAtTime(0, context.currentTime, FADE_SECONDS / 3);
    source.stop(context.currentTime + 2 * FADE_SECONDS);
  }

  buffer({ rate, samples }) {
    try {
      const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
      buffer.copyToChannel(samples, 0);
      return buffer;
    } catch {
      throw new Problem("failed", `This browser does not play ${rate.toLocaleString("en")} Hz; the WAV files do.`);
    }
  }
}
