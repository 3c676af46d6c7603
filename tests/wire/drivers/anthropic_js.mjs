// Drives the official `@anthropic-ai/sdk`.

import { Chunks, given, load, observedFetch, prompt, run, WEATHER } from './driver.mjs';

const { Anthropic } = await load('@anthropic-ai/sdk');

const client = new Anthropic({ apiKey: given.key ?? 'sk-ant-standin', baseURL: given.baseUrl, fetch: observedFetch });
const model = 'claude-haiku-4-5';
const tools = [{ name: 'get_weather', description: 'Weather', input_schema: WEATHER }];
const asked = (text, more = {}) => ({ model, max_tokens: 64, messages: [{ role: 'user', content: prompt(text) }], ...more });

async function unary(text, options) {
  const made = await client.messages.create(asked(text), options);
  return { text: made.content.map((block) => block.text).join(''), usage: made.usage, request_id: made._request_id };
}

async function stream(text) {
  const seen = new Chunks();
  let usage = null;
  for await (const event of await client.messages.create(asked(text, { stream: true }))) {
    seen.came(event.type);
    if (event.type === 'content_block_delta') seen.text += event.delta.text;
    if (event.type === 'message_delta') usage = event.usage;
  }
  return seen.observed({ usage });
}

async function streamHelper() {
  const whole = await client.messages.stream(asked('Say hello, helped.')).finalMessage();
  return { text: whole.content[0].text, usage: whole.usage };
}

async function tool() {
  const made = await client.messages.create(asked('Weather in Paris?', { tools }));
  return { tool: { name: made.content[0].name, arguments: made.content[0].input }, usage: made.usage };
}

async function toolStream() {
  const seen = new Chunks();
  let name = null;
  for await (const event of await client.messages.create(asked('Weather in Paris?', { tools, stream: true }))) {
    seen.came(event.type);
    if (event.type === 'content_block_start') name = event.content_block.name;
    if (event.type === 'content_block_delta') seen.arguments += event.delta.partial_json;
  }
  return seen.observed({ tool: { name, arguments: seen.arguments } });
}

async function countTokens() {
  const { max_tokens: _, ...rest } = asked('Count this.');
  return { value: (await client.messages.countTokens(rest)).input_tokens };
}

async function models() {
  const value = [];
  for await (const entry of client.models.list()) value.push(entry.id);
  return { value };
}

const once = { maxRetries: 0 };
await run({
  unary,
  unary_again: unary,
  stream,
  stream_again: stream,
  stream_helper: streamHelper,
  stream_paced: () => stream('Say it paced 60ms.'),
  stream_cut: () => stream('Please die mid-stream.'),
  stream_error: () => stream('Please fail mid-stream.'),
  tool,
  tool_again: tool,
  tool_stream: toolStream,
  tool_stream_again: toolStream,
  error_400: () => unary('please fail 400'),
  error_401: () => unary('please fail 401'),
  error_429: () => unary('please fail 429', once),
  error_500: () => unary('please fail 500', once),
  error_529: () => unary('please fail 529', once),
  count_tokens: countTokens,
  count_tokens_again: countTokens,
  models,
  models_again: models,
  gzip: () => unary('please gzip'),
  gzip_again: () => unary('please gzip'),
});
