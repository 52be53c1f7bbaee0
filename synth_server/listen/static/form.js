// The stream as a form: every field of its spec, and which pair. What is left as it is by default is in no link.

import { byId, make } from "./dom.js";

const CHOICES = {
  engine: ["fused", "torchsynth"],
  sampling: ["paper", "unit"],
  dtype: ["float32", "float16"],
};
const NAMES = { delta: "δ", sample_rate: "sample rate, Hz", seconds: "length, s", control_rate: "control rate, Hz", block_pairs: "pairs in a block" };

/** The form; `show(place)` is called with what somebody wants to see. */
export class StreamForm {
  constructor(synths, show) {
    this.choices = { ...CHOICES, synth: synths };
    this.form = byId("form");
    this.error = make("p", { class: "error", role: "alert" });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.asked = true;
      show(this.place());
    });
  }

  /** Fill it with what is shown, unless somebody is writing in it, as while a stream is followed. */
  fill({ about }) {
    if (!this.asked && document.activeElement?.matches("#form :is(input, select)")) return;
    this.asked = false;
    const inputs = [
      this.field("index", "block", about.index),
      this.field("pair", "pair", about.pair),
      ...Object.entries(about.stream.fields).map(([name, value]) => this.field(name, NAMES[name] ?? name, value)),
    ];
    this.form.replaceChildren(...inputs, make("button", { class: "main" }, "Show"), this.error);
    this.tell("");
    byId("digest").textContent = about.stream.digest;
  }

  /** What is wrong with what was written. */
  tell(message) {
    this.asked = false;
    this.error.textContent = message;
  }

  field(name, label, value) {
    const options = this.choices[name];
    const input = options
      ? make("select", { name }, ...options.map((option) => make("option", { value: option, selected: option === value }, option)))
      : make("input", { name, value, autocomplete: "off", spellcheck: false, placeholder: name === "oscillators" ? "the synth’s own" : "" });
    return make("label", {}, label, input);
  }

  place() {
    const fields = new FormData(this.form);
    const query = new URLSearchParams();
    for (const [name, value] of fields) {
      if (name === "index" || name === "pair" || !value.trim()) continue;
      parts(name, value).forEach(([key, part]) => query.set(key, part));
    }
    const [index, pair] = ["index", "pair"].map((name) => fields.get(name).replaceAll(/[\s,]/g, "") || "0");
    return { index, pair, query: query.toString() };
  }
}

/** A mapping is written as `pitch: 0.05, rest: 0.25`. */
const parts = (name, value) =>
  value.includes(":")
    ? value.split(",").map((part) => part.split(":").map((word) => word.trim())).map(([key, part]) => [`${name}.${key}`, part ?? ""])
    : [[name, value.trim()]];
