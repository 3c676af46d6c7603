// Drives the official `openai` JavaScript SDK, and Azure OpenAI with it.

import { Chunks, given, load, observedFetch, prompt, run, WEATHER } from './driver.mjs';

const { OpenAI, AzureOpenAI, toFile } = await load('openai');

const common = { fetch: observedFetch };
const makers = {
  '': () => new OpenAI({ apiKey: given.key ?? 'sk-standin', baseURL: given.baseUrl, ...common }),
  deployments: () =>
    new AzureOpenAI({ apiKey: given.key ?? 'azure-standin-key', endpoint: given.baseUrl, apiVersion: '2024-10-21', ...common }),
  v1: () => new OpenAI({ apiKey: given.key ?? 'azure-standin-key', baseURL: `${given.baseUrl}/openai/v1/`, ...common }),
};
const client = makers[given.style]();
const model = given.style ? 'my-deployment' : 'gpt-4o-mini';
const messages = (text) => [{ role: 'user', content: prompt(text) }];
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather', parameters: WEATHER } }];

async function unary(text, options) {
  const made = await client.chat.completions.create({ model, messages: messages(text) }, options);
  return { text: made.choices[0].message.content, usage: made.usage, request_id: made._request_id };
}

async function stream(text, more = {}) {
  const seen = new Chunks();
  let usage = null;
  for await (const chunk of await client.chat.completions.create({ model, messages: messages(text), stream: true, ...more })) {
    seen.came();
    seen.text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  return seen.observed({ usage });
}

async function tool() {
  const made = await client.chat.completions.create({ model, messages: messages('Weather in Paris?'), tools });
  const { name, arguments: given_ } = made.choices[0].message.tool_calls[0].function;
  return { tool: { name, arguments: given_ }, usage: made.usage };
}

async function toolStream() {
  const seen = new Chunks();
  let name = null;
  const asked = { model, messages: messages('Weather in Paris?'), tools, stream: true };
  for await (const chunk of await client.chat.completions.create(asked)) {
    seen.came();
    for (const call of chunk.choices[0]?.delta.tool_calls ?? []) {
      name = call.function.name ?? name;
      seen.arguments += call.function.arguments ?? '';
    }
  }
  return seen.observed({ tool: { name, arguments: seen.arguments } });
}

async function embeddings() {
  const made = await client.embeddings.create({ model: 'text-embedding-3-small', input: [prompt('one'), prompt('two')] });
  return { value: made.data.map((entry) => [...entry.embedding]), usage: made.usage };
}

async function models() {
  const value = [];
  for await (const entry of await client.models.list()) value.push(entry.id);
  return { value };
}

async function responses() {
  const made = await client.responses.create({ model, input: prompt() });
  return { text: made.output_text, usage: made.usage, request_id: made._request_id };
}

async function responsesStream() {
  const seen = new Chunks();
  let usage = null;
  for await (const event of await client.responses.create({ model, input: prompt(), stream: true })) {
    seen.came(event.type);
    if (event.type === 'response.output_text.delta') seen.text += event.delta;
    if (event.type === 'response.completed') usage = event.response.usage;
  }
  return seen.observed({ usage });
}

async function speech() {
  const spoken = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: prompt() });
  const content = Buffer.from(await spoken.arrayBuffer());
  return { value: { bytes: content.length, head: content.subarray(0, 6).toString('hex'), text: content.subarray(6, 40).toString('latin1') } };
}

async function transcription() {
  const sound = await toFile(Buffer.concat([Buffer.from('RIFF' + given.salt), Buffer.alloc(256, 7)]), 'hello.wav');
  const made = await client.audio.transcriptions.create({ model: 'gpt-4o-mini-transcribe', file: sound });
  return { text: made.text, usage: made.usage };
}

async function files() {
  const content = Buffer.from('{"custom_id": "1"}\n'.repeat(100));
  const made = await client.files.create({ file: await toFile(content, 'batch.jsonl'), purpose: 'batch' });
  const kept = await client.files.retrieve(made.id);
  const same = Buffer.from(await (await client.files.content(made.id)).arrayBuffer()).equals(content);
  const gone = await client.files.delete(made.id);
  return { value: { bytes: kept.bytes, name: kept.filename, same, deleted: gone.deleted } };
}

const once = { maxRetries: 0 };
await run({
  unary,
  unary_again: unary,
  stream,
  stream_again: stream,
  stream_usage: () => stream(undefined, { stream_options: { include_usage: true } }),
  stream_usage_again: () => stream(undefined, { stream_options: { include_usage: true } }),
  stream_paced: () => stream('Say it paced 60ms.'),
  stream_cut: () => stream('Please die mid-stream.'),
  stream_error: () => stream('Please fail mid-stream.'),
  tool,
  tool_again: tool,
  tool_stream: toolStream,
  tool_stream_again: toolStream,
  error_400: () => unary('please fail 400'),
  error_429: () => unary('please fail 429', once),
  error_500: () => unary('please fail 500', once),
  embeddings,
  embeddings_again: embeddings,
  models,
  models_again: models,
  responses,
  responses_again: responses,
  responses_stream: responsesStream,
  responses_stream_again: responsesStream,
  gzip: () => unary('please gzip'),
  gzip_again: () => unary('please gzip'),
  speech,
  speech_again: speech,
  transcription,
  transcription_again: transcription,
  files,
});
