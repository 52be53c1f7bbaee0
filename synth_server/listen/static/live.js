// Following a stream live: the newest block that its trainers were given, asked for every few seconds.

import { ask } from "./api.js";
import { byId } from "./dom.js";

const EVERY_MS = 2000;

/** Follows the stream of the pair that `current()` gives; `show(index)` is called with each newer block. */
export class Live {
  constructor(current, show) {
    Object.assign(this, { current, show, on: false, head: null });
    this.button = byId("follow");
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle(on = !this.on) {
    if (!this.current()) return; // nothing is shown yet whose stream could be followed
    this.on = on;
    this.button.ariaPressed = String(on);
    clearTimeout(this.timer);
    byId("notice").textContent = "";
    if (on) this.look();
  }

  async look() {
    const { query } = this.current().place;
    try {
      const { head } = await ask(`/api/head?${query}`);
      if (!this.on || this.current().place.query !== query) return;
      byId("notice").textContent = head === null
        ? "No trainer has asked for this stream lately; waiting for one."
        : `Following: its trainers are at block ${head.toLocaleString("en")}.`;
      if (head !== null && head !== this.head) await this.show(head);
      this.head = head;
    } catch (error) {
      if (this.on) byId("notice").textContent = error.message;
    } finally {
      if (this.on) this.timer = setTimeout(() => this.look(), EVERY_MS);
    }
  }
}
