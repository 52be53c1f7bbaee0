// The keyboard. Every key does what a button does too; `?` shows them all.

import { byId, make } from "./dom.js";

const WRITES = "input:not([type=range]), select, textarea";

/** Bind keys: [key, what it shows as, what it does in words, the function]. */
export function bind(table) {
  const dialog = byId("keys");
  const help = ["?", "?", "these keys", () => dialog.showModal()];
  const all = [...table, help];
  byId("keys-list").replaceChildren(...all.flatMap(([, shown, words]) =>
    [make("dt", {}, make("kbd", {}, shown)), make("dd", {}, words)]));
  byId("help").addEventListener("click", help[3]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || event.target.matches(WRITES)) return;
    if (event.target.matches("input") && event.key.startsWith("Arrow")) return; // they move the slider
    if (event.key === " " && event.target.matches("button:focus-visible, summary:focus-visible")) return; // it is pressed
    const found = all.find(([key]) => key === event.key);
    if (!found) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Arrow")) found[3]();
  });
}
