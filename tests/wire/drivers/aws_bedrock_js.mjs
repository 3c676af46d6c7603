// Drives the official `@aws-sdk/client-bedrock-runtime` with its stock handler: HTTP/2 with prior knowledge.

import { Chunks, given, load, observe, prompt, run, WEATHER } from './driver.mjs';

const bedrock = await load('@aws-sdk/client-bedrock-runtime');
const { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, CountTokensCommand } = bedrock;
const { InvokeModelCommand, InvokeModelWithResponseStreamCommand } = bedrock;

const modelId = 'anthropic.claude-haiku-4-5-20251001-v1:0';
const accessKeyId = given.key ?? 'AKIASTANDIN000000001';
const secretAccessKey = given.secret ?? 'standin-secret-key-number-one';
const bearer = { token: { token: given.key ?? 'bedrock-api-key-standin' }, authSchemePreference: ['httpBearerAuth'] };

function makeClient(more = {}) {
  const credential = given.style === 'bearer' ? bearer : { credentials: { accessKeyId, secretAccessKey } };
  const client = new BedrockRuntimeClient({ region: 'us-east-1', endpoint: given.baseUrl, ...credential, ...more });
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      observe(Object.entries(result.response.headers));
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'observe' },
  );
  return client;
}

const client = makeClient();
const once = makeClient({ maxAttempts: 1 });
const messages = (text) => [{ role: 'user', content: [{ text: prompt(text) }] }];
const toolConfig = { tools: [{ toolSpec: { name: 'get_weather', description: 'Weather', inputSchema: { json: WEATHER } } }] };
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

async function unary(text, through = client) {
  const made = await through.send(new ConverseCommand({ modelId, messages: messages(text) }));
  return { text: made.output.message.content[0].text, usage: made.usage, request_id: made.$metadata.requestId };
}

async function stream(text) {
  const seen = new Chunks();
  let usage = null;
  const made = await client.send(new ConverseStreamCommand({ modelId, messages: messages(text) }));
  for await (const event of made.stream) {
    seen.came(Object.keys(event)[0]);
    seen.text += event.contentBlockDelta?.delta.text ?? '';
    usage = event.metadata?.usage ?? usage;
  }
  return seen.observed({ usage, request_id: made.$metadata.requestId });
}

async function tool() {
  const made = await client.send(new ConverseCommand({ modelId, messages: messages('Weather in Paris?'), toolConfig }));
  const use = made.output.message.content[0].toolUse;
  return { tool: { name: use.name, arguments: use.input }, usage: made.usage };
}

async function toolStream() {
  const seen = new Chunks();
  let name = null;
  const made = await client.send(new ConverseStreamCommand({ modelId, messages: messages('Weather?'), toolConfig }));
  for await (const event of made.stream) {
    seen.came(Object.keys(event)[0]);
    name = event.contentBlockStart?.start.toolUse.name ?? name;
    seen.arguments += event.contentBlockDelta?.delta.toolUse.input ?? '';
  }
  return seen.observed({ tool: { name, arguments: seen.arguments } });
}

const claude = () => {
  const message = { role: 'user', content: prompt('Say hello, invoked.') };
  const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 64, messages: [message] });
  return { modelId, contentType: 'application/json', body };
};

async function invoke() {
  const made = await client.send(new InvokeModelCommand(claude()));
  const whole = decode(made.body);
  return { text: whole.content[0].text, usage: whole.usage, request_id: made.$metadata.requestId };
}

async function invokeStream() {
  const seen = new Chunks();
  let usage = null;
  const made = await client.send(new InvokeModelWithResponseStreamCommand(claude()));
  for await (const event of made.body) {
    const value = decode(event.chunk.bytes);
    seen.came(value.type);
    seen.text += value.delta?.text ?? '';
    usage = value['amazon-bedrock-invocationMetrics'] ?? usage;
  }
  return seen.observed({ usage });
}

async function embeddings() {
  const body = JSON.stringify({ inputText: prompt('one') });
  const made = await client.send(new InvokeModelCommand({ modelId: 'amazon.titan-embed-text-v2:0', contentType: 'application/json', body }));
  return { value: decode(made.body).embedding };
}

async function countTokens() {
  const input = { converse: { messages: messages('Count this.') } };
  return { value: (await client.send(new CountTokensCommand({ modelId, input }))).inputTokens };
}

async function parallel() {
  const numbers = Array.from({ length: 20 }, (_, place) => place);
  const made = await Promise.all(numbers.map((place) => unary(`Say hello, number ${place}.`)));
  return { value: made.map((each) => each.text) };
}

const describe = (error) => ({
  status: error.$metadata?.httpStatusCode ?? null,
  code: error.name,
  message: error.message,
  request_id: error.$metadata?.requestId ?? null,
});

await run(
  {
    unary,
    unary_again: unary,
    stream,
    stream_again: stream,
    stream_paced: () => stream('Say it paced 60ms.'),
    stream_cut: () => stream('Please die mid-stream.'),
    stream_error: () => stream('Please fail mid-stream.'),
    tool,
    tool_again: tool,
    tool_stream: toolStream,
    tool_stream_again: toolStream,
    error_400: () => unary('please fail 400'),
    error_403: () => unary('please fail 403'),
    error_429: () => unary('please fail 429', once),
    error_500: () => unary('please fail 500', once),
    invoke,
    invoke_again: invoke,
    invoke_stream: invokeStream,
    invoke_stream_again: invokeStream,
    embeddings,
    embeddings_again: embeddings,
    count_tokens: countTokens,
    count_tokens_again: countTokens,
    parallel,
  },
  describe,
);
client.destroy();
once.destroy();
