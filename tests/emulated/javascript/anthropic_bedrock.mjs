// Drives the official @anthropic-ai/bedrock-sdk over an emulated proxy; prints one JSON line per scenario.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { AnthropicBedrock } = await load('@anthropic-ai/bedrock-sdk');

const client = new AnthropicBedrock({
  awsAccessKey: 'AKIADUMMY',
  awsSecretKey: 'dummy',
  awsRegion: 'us-east-1',
  baseURL: process.argv[2],
  maxRetries: 0,
});
const told = (name, value) => console.log(JSON.stringify({ name, value }));
const asked = (content, more = {}) => ({
  model: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  max_tokens: 200,
  messages: [{ role: 'user', content }],
  ...more,
});
const HELLO = asked('Say hello.');
const tools = [
  {
    name: 'get_weather',
    description: 'The weather in a city',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];

told('whole', await client.messages.create(HELLO));
told('final', await client.messages.stream(HELLO).finalMessage());
told('called', await client.messages.stream(asked('What is the weather in Paris?', { tools })).finalMessage());

const kinds = [];
for await (const event of await client.messages.create({ ...HELLO, stream: true })) kinds.push(event.type);
told('kinds', kinds);

try {
  await client.messages.create({ ...HELLO, temperature: 3 });
} catch (error) {
  told('refused', { name: error.constructor.name, status: error.status, message: error.message });
}
