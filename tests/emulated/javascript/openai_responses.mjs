// Drives the Responses API of the official openai SDK over an emulated proxy; prints one JSON line per scenario.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const { default: OpenAI } = await import(pathToFileURL(require.resolve('openai')).href);

const client = new OpenAI({ apiKey: 'sk-test', baseURL: process.argv[2], maxRetries: 0 });
const model = 'gpt-4o-mini';
const told = (name, value) => console.log(JSON.stringify({ name, value }));

const hello = { model, input: 'Say hello.' };
const whole = await client.responses.create(hello);
told('whole', whole);

const stream = client.responses.stream(hello);
told('final', await stream.finalResponse());

let text = '';
for await (const event of await client.responses.create({ ...hello, stream: true })) {
  if (event.type === 'response.output_text.delta') text += event.delta;
}
told('raw', text);

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer' },
    kind: { type: 'string', enum: ['duck', 'human'] },
  },
  required: ['name', 'age', 'kind'],
  additionalProperties: false,
};
const format = { type: 'json_schema', name: 'person', schema, strict: true };
const parsed = await client.responses.create({ model, input: 'Ann is a human of 31 years.', text: { format } });
told('parsed', JSON.parse(parsed.output_text));

const tools = [
  {
    type: 'function',
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    strict: true,
  },
];
const cities = [];
let reply = await client.responses.create({ model, input: 'What is the weather in Paris?', tools });
for (let round = 0; round < 5; round += 1) {
  const calls = reply.output.filter((item) => item.type === 'function_call');
  if (calls.length === 0) break;
  const input = calls.map((call) => {
    const { city } = JSON.parse(call.arguments);
    cities.push(city);
    return { type: 'function_call_output', call_id: call.call_id, output: `18 degrees in ${city}` };
  });
  reply = await client.responses.stream({ model, input, tools, previous_response_id: reply.id }).finalResponse();
}
told('loop', { cities, text: reply.output_text });

told('retrieved', (await client.responses.retrieve(whole.id)).id);
try {
  await client.responses.retrieve('resp_none');
} catch (error) {
  told('missing', { name: error.constructor.name, status: error.status });
}

const items = [];
for await (const item of client.responses.inputItems.list(whole.id)) items.push(item.content[0].text);
told('items', items);
told('counted', (await client.responses.inputTokens.count(hello)).input_tokens);

const queued = await client.responses.create({ model, input: 'Take your time.', background: true });
told('background', [queued.status, (await client.responses.retrieve(queued.id)).status]);

const conversation = await client.conversations.create({ items: [{ role: 'user', content: 'My name is Ann.' }] });
const named = await client.responses.create({ model, input: 'What is my name?', conversation: conversation.id });
let kept = 0;
for await (const _ of client.conversations.items.list(conversation.id)) kept += 1;
told('conversation', { text: named.output_text, items: kept });

const thought = await client.responses
  .stream({ model: 'o4-mini', input: 'Why?', reasoning: { effort: 'low', summary: 'auto' } })
  .finalResponse();
told('reasoning', thought.output[0].type === 'reasoning' && thought.output[0].summary[0].text.length > 0);
