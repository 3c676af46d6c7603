// What every JavaScript driver shares: its arguments, and one JSON line per scenario on stdout.
// The SDKs are loaded from the directory named by SDK_NODE_MODULES, so newest and older ones share one driver.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.SDK_NODE_MODULES ?? join(here, '..', 'node_modules');
const require = createRequire(join(modules, 'x.js'));

export async function load(name) {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return { ...module.default, ...module };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'base-url': { type: 'string' },
    style: { type: 'string', default: '' },
    salt: { type: 'string', default: '' },
    key: { type: 'string' },
    secret: { type: 'string' },
  },
});
export const given = { ...values, baseUrl: values['base-url'] };

export const prompt = (text = 'Say hello.') => `${text} ${given.salt}`.trim();

// Monotonic seconds on the clock that Python's time.monotonic() reads.
export const now = () => Number(process.hrtime.bigint()) / 1e9;

export const WEATHER = {
  type: 'object',
  properties: { city: { type: 'string', description: 'The city' } },
  required: ['city'],
};

let seen = {};
export function observe(headers) {
  seen = Object.fromEntries([...headers].map(([name, value]) => [name.toLowerCase(), value]));
}

// fetch, observed: SDKs that take a fetch get this one, the others find it in the global scope.
const plainFetch = globalThis.fetch;
export async function observedFetch(...args) {
  const response = await plainFetch(...args);
  observe(response.headers);
  return response;
}

export class Chunks {
  text = '';
  arguments = '';
  events = [];
  arrivals = [];

  came(kind) {
    this.arrivals.push(now());
    if (kind) this.events.push(kind);
  }

  observed(more = {}) {
    const { text, arrivals, events } = this;
    return { text, chunks: arrivals.length, arrivals, events, ...more };
  }
}

function classes(error) {
  const names = [];
  for (let proto = Object.getPrototypeOf(error); proto && proto !== Error.prototype; proto = Object.getPrototypeOf(proto)) {
    names.push(proto.constructor.name);
  }
  return names;
}

const usual = (error) => ({
  status: error.status ?? null,
  code: error.code ?? null,
  type: error.type ?? null,
  message: error.message,
  body: error.error ?? null,
  request_id: error.requestID ?? null,
});

export async function run(scenarios, describe = usual) {
  for (const scenario of positionals.length ? positionals : Object.keys(scenarios)) {
    seen = {};
    let result = { scenario, ok: true };
    try {
      Object.assign(result, await scenarios[scenario]());
    } catch (error) {
      const kinds = classes(error);
      const described = { class: kinds[0] ?? error.name, classes: kinds, text: String(error), cause: error.cause?.name ?? null };
      result = { ...result, ok: false, error: { ...described, ...describe(error) } };
    }
    console.log(JSON.stringify({ ...result, headers: seen }));
  }
}
