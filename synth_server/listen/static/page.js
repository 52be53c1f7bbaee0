// The page: which pair is shown, and what happens when another one is wanted. The parts are in the files beside.

import { ask } from "./api.js";
import * as differences from "./differences.js";
import { byId, make } from "./dom.js";
import { StreamForm } from "./form.js";
import { bind } from "./keys.js";
import { Live } from "./live.js";
import { pairAt, path, prefetch } from "./pairs.js";
import { Player } from "./player.js";
import * as problems from "./problems.js";
import * as stage from "./stage.js";
import { Strip } from "./strip.js";

const DRAWN_FROM = 100_000;
const SETTLE_MS = 150;
const number = (value) => Number(value).toLocaleString("en");

let about; // of this server
let pair; // that is shown
let wanted; // the place that was asked for last
let drawn; // the place that is drawn next
let settling; // a timer

const player = new Player(played, (error) => { byId("notice").textContent = error.message; });
const strip = new Strip({
  play: (chosen, view) => (playing(chosen, view) ? player.stop() : player.play(chosen, [view])),
  open: (place) => go(place),
  compares: () => about.compares,
});
const live = new Live(() => pair, (index) => show({ ...pair.place, index, pair: random(pairs()) }, { push: "over" }));
let form;

/** Show the pair at a place, and put it into the address bar unless it came from there; "over": in the place of the last. */
async function show(place, { push = true, told = null } = {}) {
  wanted = place;
  byId("stage").ariaBusy = "true";
  try {
    const found = await pairAt(place);
    if (wanted !== place) return;
    await stage.show(found);
    if (wanted !== place) return;
    pair = found;
  } catch (error) {
    if (wanted === place) failed(error, place, told);
    return;
  }
  problems.clear();
  lamp(true);
  if (player.playing) player.stop();
  if (push && location.pathname + location.search !== pair.about.link) {
    history[push === "over" ? "replaceState" : "pushState"](null, "", pair.about.link);
  }
  describe();
  differences.show(pair);
  form.fill(pair);
  compare();
  drawn = placed(random(DRAWN_FROM), random(pairs()));
  clearTimeout(settling);
  settling = setTimeout(settle, SETTLE_MS);
}

/** What can wait until nobody hurries on: the strip, and the pairs that may be next. */
function settle() {
  strip.show(pair);
  [drawn, step(1)].forEach(prefetch);
}

function failed(error, place, told) {
  byId("stage").ariaBusy = "false";
  if (told && ["not-valid", "refused", "no-such-page"].includes(error.kind)) return told(error.message);
  lamp(false);
  return problems.tell(error, () => (about ? show(place, { push: false }) : begin()));
}

function describe() {
  const { index, pair: inBlock, stream, differences: parameters, command } = pair.about;
  const { synth, delta, seconds, sample_rate } = stream;
  document.title = `Pair ${inBlock} of block ${number(index)} · Pairstream`;
  byId("title").textContent = `Pair ${inBlock} of block ${number(index)}`;
  const amount = typeof delta === "object" ? "δ by group" : `δ = ${delta}`;
  byId("lead").replaceChildren("One sound of ", make("b", {}, synth), ` (${parameters.length} parameters), rendered twice: `,
    "each view with every parameter moved by its own random amount, ", make("b", {}, amount),
    `. ${seconds} s at ${number(sample_rate)} Hz.`);
  byId("command").textContent = command;
  for (const view of ["a", "b"]) byId(`wav-${view}`).href = path(pair.place, `/${view}.wav`);
  byId("recipe").href = path(pair.place, "/pair.json");
  byId("previous").disabled = !step(-1);
}

async function compare() {
  const shown = pair;
  const badge = byId("cosine");
  badge.hidden = !about.compares;
  if (!about.compares) return;
  try {
    const { cosine, by } = await shown.alike();
    if (shown !== pair) return;
    badge.title = `of the embeddings of both views, by ${by}`;
    badge.replaceChildren("cosine ", make("b", {}, cosine.toFixed(3).replace("-", "−")));
  } catch (error) {
    if (shown === pair) badge.textContent = error.message;
  }
}

const pairs = () => pair.about.stream.block_pairs;
const random = (end) => Math.floor(Math.random() * end);
const placed = (index, inBlock) => ({ ...pair.place, index, pair: inBlock });

/** The place so many pairs on; null before the first. */
function step(by) {
  const to = pair.about.index * pairs() + pair.about.pair + by;
  return to < 0 ? null : placed(Math.floor(to / pairs()), to % pairs());
}

/** Show what somebody chose, who so stops following. */
function go(place, told = null) {
  if (!pair || !place) return;
  if (live.on) live.toggle(false);
  show(place, { told });
}

const playing = (chosen, view) => player.playing && player.pair === chosen && player.view === view;
const shownOr = () => (player.playing ? player.pair : pair);

function played() {
  stage.follow(player, pair);
  strip.follow(player);
  const button = byId("play");
  button.ariaPressed = String(player.playing);
  button.querySelector("[data-label]").textContent = player.playing ? "Stop" : "Play a, then b";
}

const act = {
  play: () => (player.playing ? player.stop() : pair && player.play(pair, ["a", "b"])),
  view: (view) => pair && (playing(pair, view) ? player.stop() : player.play(pair, [view])),
  swap: () => pair && player.swap(shownOr()),
  loop() {
    player.loop = !player.loop;
    byId("loop").ariaPressed = String(player.loop);
  },
  async copy() {
    try {
      await navigator.clipboard.writeText(location.origin + pair.about.link);
      byId("notice").textContent = "The link is copied.";
    } catch {
      byId("notice").textContent = `Copy it from here: ${location.origin}${pair.about.link}`;
    }
  },
};

function lamp(good) {
  byId("lamp").className = `lamp ${good ? "good" : "bad"}`;
}

function wire() {
  const click = (id, action) => byId(id).addEventListener("click", action);
  click("play", act.play);
  click("swap", act.swap);
  click("loop", act.loop);
  click("copy", act.copy);
  click("draw", () => go(drawn));
  click("next", () => go(step(1)));
  click("previous", () => go(step(-1)));
  document.querySelectorAll(".letter").forEach((button) => {
    button.addEventListener("click", () => act.view(button.parentElement.dataset.view));
  });
  stage.onPointer(() => pair, (view, at) => player.play(pair, [view], at));
  window.addEventListener("popstate", () => show(fromAddress(), { push: false }));
  bind([
    [" ", "space", "play a, then b; stop", act.play],
    ["x", "x", "swap: on in the other view, at the same place", act.swap],
    ["a", "a", "play view a", () => act.view("a")],
    ["b", "b", "play view b", () => act.view("b")],
    ["l", "l", "loop", act.loop],
    ["n", "n", "draw a pair", () => go(drawn)],
    ["ArrowRight", "→", "next pair", () => go(step(1))],
    ["ArrowLeft", "←", "previous pair", () => go(step(-1))],
    ["d", "d", "go to the slider of δ", () => byId("delta").focus()],
    ["c", "c", "copy the link", act.copy],
    ...(about.live ? [["f", "f", "follow the stream live", () => live.toggle()]] : []),
  ]);
}

/** What the address bar names; the server's own stream if it names none. */
function fromAddress() {
  const [, index, inBlock] = location.pathname.match(/^\/pair\/([^/]+)\/([^/]+)$/) ?? [];
  if (index === undefined) return { index: 0, pair: 0, query: about.stream.query };
  return { index, pair: inBlock, query: location.search.slice(1) };
}

async function begin() {
  try {
    about = await ask("/api/start");
  } catch (error) {
    failed(error, null, null);
    return;
  }
  byId("source").textContent = about.live ? about.url : "rendered here";
  byId("follow").hidden = !about.live;
  byId("version").textContent = about.version;
  form = new StreamForm(Object.keys(about.synths), (place) => go(place, (message) => form.tell(message)));
  wire();
  await show(fromAddress(), { push: false });
}

begin();
