// Drives the official @anthropic-ai/sdk over an emulated proxy; prints one JSON line per scenario.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { default: Anthropic, toFile } = await load('@anthropic-ai/sdk');
const { betaTool } = await load('@anthropic-ai/sdk/helpers/beta/json-schema');
const { jsonSchemaOutputFormat } = await load('@anthropic-ai/sdk/helpers/json-schema');

const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: process.argv[2], maxRetries: 0 });
const asked = (content, more = {}) => ({
  model: 'claude-haiku-4-5',
  max_tokens: 200,
  messages: [{ role: 'user', content }],
  ...more,
});
const HELLO = asked('Say hello.');
const told = (name, value) => console.log(JSON.stringify({ name, value }));

told('whole', await client.messages.create(HELLO));
told('final', await client.messages.stream(HELLO).finalMessage());

let text = '';
for await (const event of await client.messages.create({ ...HELLO, stream: true })) {
  if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
}
told('raw', text);

const person = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer' },
    kind: { type: 'string', enum: ['duck', 'human'] },
  },
  required: ['name', 'age', 'kind'],
  additionalProperties: false,
};
const parsed = await client.messages.parse(
  asked('Ann is a human of 31 years.', { output_config: { format: jsonSchemaOutputFormat(person) } }),
);
told('parsed', parsed.parsed_output);

const called = [];
const weather = betaTool({
  name: 'get_weather',
  description: 'The weather in a city',
  inputSchema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
  },
  run: ({ city }) => {
    called.push(city);
    return `12 degrees in ${city}`;
  },
});
const last = await client.beta.messages.toolRunner(
  asked('What is the weather in Paris?', { tools: [weather], max_iterations: 5 }),
);
told('runner', { called, stop_reason: last.stop_reason, is_told: last.content.at(-1).text.includes('12 degrees') });

const { max_tokens: _, ...countable } = HELLO;
told('counted', (await client.messages.countTokens(countable)).input_tokens);

const models = [];
for await (const model of client.models.list({ limit: 4 })) models.push(model.id);
told('models', models);

const file = await client.files.upload({ file: await toFile(Buffer.from('Quack.'), 'duck.txt', { type: 'text/plain' }) });
told('file', [file.filename, file.size_bytes, (await client.files.delete(file.id)).type]);

const batch = await client.messages.batches.create({
  requests: [
    { custom_id: 'good', params: HELLO },
    { custom_id: 'bad', params: { ...HELLO, messages: [] } },
  ],
});
const results = {};
for await (const line of await client.messages.batches.results(batch.id)) results[line.custom_id] = line.result.type;
told('batch', [(await client.messages.batches.retrieve(batch.id)).processing_status, results]);

try {
  await client.messages.create({ ...HELLO, messages: [] });
} catch (error) {
  told('error', { name: error.constructor.name, status: error.status, type: error.error.error.type });
}
