// The same θ at several δ side by side: the same sound, moved in the same directions, less far and further.

import { byId, make } from "./dom.js";
import { logMel } from "./pictures.js";
import { pairAt } from "./pairs.js";

const SHARES = [0, 0.25, 0.5, 0.75, 1];
const WAIT_MS = 120;

/** The strip and its slider. `play(pair, view)` and `open(place)` are called for what somebody chooses. */
export class Strip {
  constructor({ play, open, compares }) {
    Object.assign(this, { play, open, compares });
    this.list = byId("strip");
    this.slider = byId("delta");
    this.columns = SHARES.map(() => new Column(this));
    this.list.replaceChildren(...this.columns.map((column) => column.element));
    this.slider.addEventListener("input", () => this.moved());
  }

  /** Show the columns of another pair. The slider stays, unless the stream's own δ is now another. */
  show(pair) {
    const { delta } = pair.about.stream;
    const own = JSON.stringify(delta);
    this.pair = pair;
    if (own !== this.own) {
      this.own = own;
      const grouped = typeof delta === "object";
      Object.assign(this.slider, { min: grouped ? 0.1 : 0.02, max: grouped ? 4 : 1, step: grouped ? 0.1 : 0.02 });
      this.slider.value = grouped ? 2 : Math.min(1, 2 * delta || 0.5);
    }
    this.moved(0);
  }

  /** Mark what plays. */
  follow(player) {
    this.columns.forEach((column) => column.follow(player));
  }

  moved(wait = WAIT_MS) {
    const { delta } = this.pair.about.stream;
    const values = SHARES.map((share) => +(share * this.slider.value).toFixed(4));
    byId("delta-text").textContent = label(delta, values.at(-1));
    this.slider.setAttribute("aria-valuetext", label(delta, values.at(-1)));
    this.columns.forEach((column, at) => column.announce(label(delta, values[at])));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.columns.forEach((column, at) =>
      column.load({ ...this.pair.place, query: withDelta(this.pair.about.stream, values[at]) }, this.pair)), wait);
  }
}

class Column {
  constructor(strip) {
    this.strip = strip;
    this.name = make("b");
    this.alike = make("p", { class: "alike" });
    this.button = make("button", { class: "open", onclick: () => strip.open(this.place) }, "Open");
    this.views = ["a", "b"].map((view) =>
      make("button", { class: "mini", dataset: { view }, onclick: () => this.pair && strip.play(this.pair, view) },
        make("canvas"), make("span", { "aria-hidden": "true" }, view)));
    this.element = make("li", {}, make("div", { class: "delta" }, this.name, this.button), ...this.views, this.alike);
  }

  announce(name) {
    this.name.textContent = name;
    this.element.ariaBusy = "true";
    this.button.ariaLabel = `Open the pair at ${name}`;
    this.views.forEach((button, at) => { button.ariaLabel = `Play view ${"ab"[at]} at ${name}`; });
  }

  async load(place, base) {
    this.place = place;
    try {
      const pair = await pairAt(place);
      if (this.place !== place) return;
      this.pair = pair;
      this.views.forEach((button, at) => logMel(button.firstChild, pair.picture(at)));
      this.button.disabled = pair.about.link === base.about.link;
      this.button.textContent = this.button.disabled ? "this pair" : "Open";
      this.element.ariaBusy = "false";
      this.alike.textContent = "";
      if (this.strip.compares()) this.alike.textContent = `cosine ${written(await pair.alike())}`;
    } catch (error) {
      if (this.place === place) this.alike.textContent = error.message;
    }
  }

  follow(player) {
    this.views.forEach((button, at) =>
      button.classList.toggle("playing", player.playing && player.pair === this.pair && player.view === "ab"[at]));
  }
}

const written = ({ cosine }) => cosine.toFixed(3).replace("-", "−");

const label = (delta, value) => (typeof delta === "object" ? `δ × ${+value.toFixed(4)}` : `δ = ${+value.toFixed(4)}`);

/** The query of the stream at another δ; of several, all in proportion. */
function withDelta({ query, delta: own }, value) {
  const fields = new URLSearchParams(query);
  [...fields.keys()].filter((name) => name.startsWith("delta")).forEach((name) => fields.delete(name));
  const deltas = typeof own === "object"
    ? Object.entries(own).map(([group, delta]) => [`delta.${group}`, +(delta * value).toFixed(6)])
    : [["delta", value]];
  deltas.forEach(([name, delta]) => fields.set(name, delta));
  return fields.toString();
}
