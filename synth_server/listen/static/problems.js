// What to do next when something does not come.

import { byId, make } from "./dom.js";

const AGAIN_SECONDS = 5;
const code = (text) => make("code", {}, text);
const start = () => make("a", { href: "/" }, "the first pair");

const TELL = {
  "no-worker": ["No worker answers", () => [["Start one: ", code("synth-server serve")], ["Or let this page render by itself: ", code("synth-server listen"), ", without --stream."]]],
  "too-slow": ["A worker is there, but slow", () => [["See what it does: ", code("synth-server status")], ["Ask for shorter sounds, or add workers."]]],
  busy: ["Too much at once", () => [["Others are asking too; this page asks again by itself."]]],
  unreachable: ["The server of this page is gone", () => [["Start it again: ", code("synth-server listen")]]],
  refused: ["No worker renders that", () => [["Change the stream in the link, or go to ", start(), "."]]],
  "not-valid": ["There is no such pair", () => [["Change the link, or go to ", start(), "."]]],
  "no-such-page": ["There is no such pair", () => [["Go to ", start(), "."]]],
};
const PASSING = new Set(["no-worker", "too-slow", "busy", "unreachable"]);
const OTHER = ["That did not work", () => [["Try again; if it stays, the log of ", code("synth-server listen"), " says more."]]];

let timer = 0;

/** Show what is wrong; `again` is called when somebody wants to try again, or by itself if it may pass. */
export function tell(problem, again) {
  const [title, steps] = TELL[problem.kind] ?? OTHER;
  byId("problem-title").textContent = title;
  byId("problem-message").textContent = problem.message;
  byId("problem-steps").replaceChildren(...steps().map((step) => make("li", {}, ...step)));
  byId("retry").onclick = again;
  byId("problem").hidden = false;
  clearInterval(timer);
  if (PASSING.has(problem.kind)) count(again);
  else byId("problem-wait").textContent = "";
}

/** All is well. */
export function clear() {
  clearInterval(timer);
  byId("problem").hidden = true;
}

function count(again) {
  let left = AGAIN_SECONDS;
  const say = () => { byId("problem-wait").textContent = `again by itself in ${left} s`; };
  say();
  timer = setInterval(() => {
    left -= 1;
    say();
    if (left > 0) return;
    clearInterval(timer);
    byId("problem-wait").textContent = "trying …";
    again();
  }, 1000);
}
