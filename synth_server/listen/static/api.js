// What the page asks its server for: JSON, and sounds. Errors come as `Problem`, with a kind and a sentence.

const LONGEST_WAIT_MS = 90_000;

/** Something a visitor should be told. */
export class Problem extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** JSON from a path; a newer request may abort it by `signal`. */
export async function ask(path, signal) {
  return (await get(path, signal)).json();
}

/** The samples (T,) and the rate of a WAV of 32-bit floats. */
export async function sound(path, signal) {
  const bytes = await (await get(path, signal)).arrayBuffer();
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

async function get(path, signal) {
  const stop = AbortSignal.any([AbortSignal.timeout(LONGEST_WAIT_MS), ...(signal ? [signal] : [])]);
  let response;
  try {
    response = await fetch(path, { signal: stop });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("unreachable", "The server of this page does not answer.");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(body.error?.kind ?? "failed", body.error?.message ?? `The server answered ${response.status}.`);
}
