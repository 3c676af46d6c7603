// Drives the official openai package over a proxy that spoils answers; prints one JSON line per fault.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const { default: OpenAI } = await import(pathToFileURL(require.resolve('openai')).href);

const [, , url, ...faults] = process.argv;
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const messages = [{ role: 'user', content: 'What is the weather in Paris?' }];
const named = { name: 'get_weather', description: 'Weather', parameters };

for (const fault of faults) {
  const client = new OpenAI({
    apiKey: 'sk-test',
    baseURL: `${url}/v1`,
    maxRetries: 0,
    defaultHeaders: { 'x-rubberduck-fault': fault },
  });
  const tools = fault === 'invalid_tool_arguments' ? [{ type: 'function', function: named }] : undefined;
  const chat = { model: 'gpt-4o', messages, ...(tools ? { tools } : {}) };
  const whole = (await client.chat.completions.create(chat)).choices[0];
  const chunks = [];
  const stream = client.chat.completions.stream(chat);
  stream.on('chunk', (chunk) => chunks.push(chunk));
  const final = await stream.finalChatCompletion().then(
    (made) => made.choices[0],
    (error) => ({ raised: error.constructor.name }),
  );
  const asked = {
    model: 'gpt-4o',
    input: 'What is the weather in Paris?',
    ...(tools ? { tools: [{ type: 'function', ...named }] } : {}),
  };
  const response = await client.responses.create(asked);
  const events = [];
  for await (const event of await client.responses.create({ ...asked, stream: true })) events.push(event);
  const streamed = await client.responses.stream(asked).finalResponse();
  const seen = { whole, final, finish: chunks.flatMap((chunk) => chunk.choices.map((one) => one.finish_reason)) };
  const told = { response, last: events.at(-1), streamed };
  console.log(JSON.stringify({ fault, ...seen, ...told }));
}
