// Drives the official openai package over an emulated proxy; prints one JSON line per scenario.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const { default: OpenAI, AzureOpenAI, toFile } = await import(pathToFileURL(require.resolve('openai')).href);

const [, , style, url] = process.argv;
const client =
  style === 'azure'
    ? new AzureOpenAI({ apiKey: 'key', endpoint: url, apiVersion: '2024-10-21', maxRetries: 0 })
    : new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1`, maxRetries: 0 });

const model = 'gpt-4o-mini';
const asked = (content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });
const HELLO = asked('Say hello.');
const told = (name, value) => console.log(JSON.stringify({ name, value }));

const whole = await client.chat.completions.create(HELLO);
told('whole', whole);
told('request_id', whole._request_id);

let text = '';
let usage = null;
for await (const chunk of await client.chat.completions.create({
  ...HELLO,
  stream: true,
  stream_options: { include_usage: true },
})) {
  text += chunk.choices[0]?.delta?.content ?? '';
  usage = chunk.usage ?? usage;
}
told('raw', { text, usage });

const stream = client.chat.completions.stream(HELLO);
let seen = '';
stream.on('content', (delta) => (seen += delta));
const final = await stream.finalChatCompletion();
told('final', { seen, content: final.choices[0].message.content, finish: final.choices[0].finish_reason });

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
for (const streams of [false, true]) {
  const called = [];
  const runner = client.chat.completions.runTools({
    ...asked('What is the weather in Paris?'),
    ...(streams ? { stream: true } : {}),
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'The weather in a city',
          parameters,
          strict: true,
          parse: JSON.parse,
          function: ({ city }) => {
            called.push(city);
            return `21 degrees in ${city}`;
          },
        },
      },
    ],
  });
  const content = await runner.finalContent();
  told(streams ? 'runner_streaming' : 'runner', { called, content });
}

const animal = {
  type: 'object',
  properties: { name: { type: 'string' }, legs: { type: 'integer' } },
  required: ['name', 'legs'],
  additionalProperties: false,
};
const parsed = await client.chat.completions.parse(
  asked('Describe a duck', {
    response_format: { type: 'json_schema', json_schema: { name: 'animal', strict: true, schema: animal } },
  }),
);
told('parsed', JSON.parse(parsed.choices[0].message.content));

const embedded = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', dimensions: 8 });
told('embedding', embedded.data[0].embedding);

const images = await client.images.generate({ model: 'gpt-image-1.5', prompt: 'A duck' });
told('image', images.data[0].b64_json.length);

const spoken = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Quack' });
told('speech', (await spoken.arrayBuffer()).byteLength);

const sound = () => toFile(Buffer.from('sound'), 'duck.wav');
const heard = await client.audio.transcriptions.create({ model: 'gpt-4o-mini-transcribe', file: await sound() });
told('transcription', heard.text);
let written = '';
for await (const event of await client.audio.transcriptions.create({
  model: 'gpt-4o-mini-transcribe',
  file: await sound(),
  stream: true,
})) {
  if (event.type === 'transcript.text.delta') written += event.delta;
}
told('transcription_stream', written);

const file = await client.files.create({ file: await toFile(Buffer.from('{}'), 'a.jsonl'), purpose: 'fine-tune' });
const content = await (await client.files.content(file.id)).text();
const listed = [];
for await (const entry of client.files.list({ limit: 1 })) listed.push(entry.id);
const deleted = await client.files.delete(file.id);
told('files', { content, listed: listed.includes(file.id), deleted: deleted.deleted });

const models = [];
for await (const entry of client.models.list()) models.push(entry.id);
told('models', models.length);

try {
  await client.chat.completions.create({ ...HELLO, temperature: 5 });
} catch (error) {
  told('refused', { name: error.constructor.name, status: error.status, code: error.code, param: error.param });
}

if (style === 'openai') {
  const judged = await client.moderations.create({ input: 'I will kill you' });
  told('moderation', judged.results[0].flagged);
  const completed = await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Say hello.' });
  told('completion', completed.choices[0].text);
  const stored = await client.chat.completions.create(asked('Keep this', { store: true, metadata: { of: 'js' } }));
  const found = [];
  for await (const entry of client.chat.completions.list({ metadata: { of: 'js' } })) found.push(entry.id);
  const gone = await client.chat.completions.delete(stored.id);
  told('stored', { found: found.includes(stored.id), deleted: gone.deleted });
}
