// Meets the errors of a proxy with the official @anthropic-ai/sdk; prints one JSON line per case. A case is named by a
// header, and the SDK's own waits are written down instead of waited, but for one.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const { default: Anthropic } = await import(pathToFileURL(require.resolve('@anthropic-ai/sdk')).href);

const [baseURL, ...reasons] = process.argv.slice(2);
const asked = { model: 'claude-haiku-4-5', max_tokens: 200, messages: [{ role: 'user', content: 'Say hello.' }] };
const told = (name, value) => console.log(JSON.stringify({ name, value }));

let requests = 0;
const waits = [];
const realTimeout = globalThis.setTimeout;
const client = (name) =>
  new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL,
    defaultHeaders: { 'x-case': name },
    fetch: (...given) => {
      requests += 1;
      return fetch(...given);
    },
  });
const KEEP_ALIVE_MS = 4_000; // of Node's own connections
// Only the waits between attempts are shorter than the timeouts of the requests.
globalThis.setTimeout = (work, wait, ...given) => {
  if (wait >= 300 && wait <= 10_000 && wait !== KEEP_ALIVE_MS) {
    waits.push(wait);
    return realTimeout(work, 1, ...given);
  }
  return realTimeout(work, wait, ...given);
};

for (const reason of reasons) {
  const before = requests;
  try {
    await client(reason).messages.create(asked);
  } catch (error) {
    told(reason, {
      class: error.constructor.name,
      status: error.status,
      type: error.type,
      code: error.errorCode,
      message: error.apiMessage,
      requestID: error.requestID,
      attempts: requests - before,
    });
  }
}

waits.length = 0;
const reply = await client('waiting').messages.create(asked);
told('waiting', { text: reply.content[0].text.length > 0, waits });

try {
  for await (const _ of await client('streaming').messages.create({ ...asked, stream: true }));
} catch (error) {
  told('streaming', { class: error.constructor.name, status: error.status ?? null, type: error.type });
}

const weather = {
  name: 'get_weather',
  description: 'The weather in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const calling = { ...asked, messages: [{ role: 'user', content: 'What is the weather in Paris?' }], tools: [weather] };
for (const name of ['refusal', 'length_stop', 'empty_content', 'invalid_tool_arguments']) {
  const whole = await client(name).messages.create(calling);
  const final = await client(name).messages.stream(calling).finalMessage();
  const kinds = final.content.map((block) => block.type);
  for (const block of [...whole.content, ...final.content]) {
    if (typeof block.input?.city === 'string') throw new Error(`${name}: the tool's input is as it should be`);
  }
  if (whole.stop_reason !== final.stop_reason) throw new Error(`${name}: ${whole.stop_reason}, ${final.stop_reason}`);
  told(name, [final.stop_reason, kinds]);
}
told('requests', requests);
