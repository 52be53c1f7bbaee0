// What differs between the views: a row for each parameter, the furthest apart first.

import { byId, make } from "./dom.js";

const all = byId("all");
let everything = false;

/** Show the rows of a pair. Where they have no room to scroll, the button shows those after the first few. */
export function show(pair) {
  const rows = pair.about.differences.map(row);
  byId("rows").replaceChildren(...rows);
  byId("rows").scrollTop = 0;
  unfold(everything);
  all.onclick = () => unfold(!everything);
}

function unfold(wanted) {
  everything = wanted;
  byId("rows").classList.toggle("everything", everything);
  all.ariaExpanded = String(everything);
  all.textContent = everything ? "Only the first" : `All ${byId("rows").childElementCount} parameters`;
}

function row({ layer, module, name, description, theta, text, change }) {
  const [left, right] = theta[0] <= theta[1] ? ["a", "b"] : ["b", "a"];
  const [low, high] = [Math.min(...theta), Math.max(...theta)].map((at) => `${100 * at}%`);
  const where = [name.includes("->") ? "" : readable(module), layer ? `layer ${layer + 1}` : ""].filter(Boolean).join(", ");
  const label = [readable(name), " ", make("small", {}, where)];
  const span = { left: low, right: `calc(100% - ${high})`, "--from": `var(--${left}-fill)`, "--to": `var(--${right}-fill)` };
  return make("li", { title: description },
    make("span", { class: "name" }, ...label),
    make("span", { class: "change" }, change),
    make("span", { class: "track", "aria-hidden": "true" },
      make("i", { class: "span", style: span }),
      ...["a", "b"].map((view, at) =>
        make("i", { class: "dot", dataset: { view }, style: { left: `${100 * theta[at]}%` } }))),
    make("span", { class: "values" },
      ...["a", "b"].map((view, at) => make("span", { class: view }, `${view}  ${text[at]}`))));
}

const readable = (name) => name.replace("->", " → ").replaceAll("_", " ").replace("midi f0", "pitch");
