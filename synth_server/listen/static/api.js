// What the page asks its server for: JSON, and sounds. Errors come as `Problem`, with a kind and a sentence.

const LONGEST_WAIT_MS = 90_000;
// A browser drops what is under way whenever a network comes or goes on its machine, as when a container starts there.
const AGAIN_MS = [200, 800];

/** Something a visitor should be told. */
export class Problem extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** JSON from a path. */
export async function ask(path) {
  return (await get(path)).json();
}

/** The samples (T,) and the rate of a WAV of 32-bit floats. */
export async function sound(path) {
  const bytes = await (await get(path)).arrayBuffer();
  const view = new DataView(bytes);
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.byteLength;) {
    const [name, size] = [view.getUint32(at), view.getUint32(at + 4, true)];
    if (name === 0x666d7420) rate = view.getUint32(at + 12, true); // "fmt "
    if (name === 0x64617461) { // "data"
      return { rate, samples: new Float32Array(bytes.slice(at + 8, at + 8 + size)) };
    }
    at += 8 + size + (size % 2);
  }
  throw new Problem("failed", `${path} is not a sound`);
}

async function get(path) {
  const response = await reach(path);
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(body.error?.kind ?? "failed", body.error?.message ?? `The server answered ${response.status}.`);
}

async function reach(path) {
  for (const pause of [...AGAIN_MS, null]) {
    try {
      return await fetch(path, { signal: AbortSignal.timeout(LONGEST_WAIT_MS) });
    } catch (error) {
      if (pause === null || error.name === "TimeoutError") break;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  throw new Problem("unreachable", "The server of this page does not answer.");
}
