// Drives the official @aws-sdk/client-bedrock-runtime (its stock handler: HTTP/2) and @anthropic-ai/bedrock-sdk over
// proxies that fail; prints one JSON line per call. The plan: {endpoint, models, retried, streams, replies, plain}.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const sdk = await load('@aws-sdk/client-bedrock-runtime');
const handlers = await load('@smithy/node-http-handler');
const bedrock = { ...sdk.default, ...sdk };
const { NodeHttpHandler } = { ...handlers.default, ...handlers };
const { AnthropicBedrock } = await load('@anthropic-ai/bedrock-sdk');

const plan = JSON.parse(process.argv[2]);
const credentials = { accessKeyId: 'AKIADUMMY', secretAccessKey: 'dummy' };
const told = (client, model, value) => console.log(JSON.stringify({ client, model, value }));

const connect = (endpoint, more) =>
  new bedrock.BedrockRuntimeClient({ region: 'us-east-1', endpoint, credentials, ...more });
const connectClaude = (baseURL, maxRetries) =>
  new AnthropicBedrock({ awsAccessKey: 'AKIADUMMY', awsSecretKey: 'dummy', awsRegion: 'us-east-1', baseURL, maxRetries });

const hello = (modelId) => ({ modelId, messages: [{ role: 'user', content: [{ text: 'Tell me a story.' }] }] });
const message = (model) => ({ model, max_tokens: 100, messages: [{ role: 'user', content: 'Tell me a story.' }] });
const body = (model) => JSON.stringify({ ...message(model), model: undefined, anthropic_version: 'bedrock-2023-05-31' });

const told_aws = (error) => ({
  class: error.constructor.name,
  name: error.name,
  message: error.message,
  fault: error.$fault,
  status: error.$metadata?.httpStatusCode,
  request_id: error.$metadata?.requestId,
  attempts: error.$metadata?.attempts,
  delay: error.$metadata?.totalRetryDelay,
});
const told_claude = (error) => ({
  class: error.constructor.name,
  status: error.status,
  message: error.message,
  body: error.error,
});
async function failed(work, read) {
  try {
    await work();
    return null;
  } catch (error) {
    return read(error);
  }
}

async function ask(client, claude, model) {
  for (const [name, Command] of [['converse', bedrock.ConverseCommand], ['converse_stream', bedrock.ConverseStreamCommand]]) {
    told(name, model, await failed(() => client.send(new Command(hello(model))), told_aws));
  }
  told('claude', model, await failed(() => claude.messages.create(message(model)), told_claude));
}

const client = connect(plan.endpoint, { maxAttempts: 1 });
const claude = connectClaude(plan.endpoint, 0);
for (const model of plan.models) await ask(client, claude, model);

// the same replies as they come from a server that knows nothing but bytes, over HTTP/1.1
for (const [model, endpoint] of Object.entries(plan.plain)) {
  const direct = connect(endpoint, { maxAttempts: 1, requestHandler: new NodeHttpHandler() });
  told('plain', model, await failed(() => direct.send(new bedrock.ConverseCommand(hello(model))), told_aws));
  told('plain_claude', model, await failed(() => connectClaude(endpoint, 0).messages.create(message(model)), told_claude));
  direct.destroy();
}

for (const model of plan.retried) {
  const again = connect(plan.endpoint, { maxAttempts: 2 });
  told('retried', model, await failed(() => again.send(new bedrock.ConverseCommand(hello(model))), told_aws));
  again.destroy();
}

for (const model of plan.streams) {
  const counted = { events: 0 };
  const read = async (stream) => {
    for await (const _ of stream) counted.events += 1;
  };
  let error = await failed(async () => read((await client.send(new bedrock.ConverseStreamCommand(hello(model)))).stream), told_aws);
  told('stream', model, { ...error, events: counted.events });
  counted.events = 0;
  const input = { modelId: model, body: body(model) };
  error = await failed(
    async () => read((await client.send(new bedrock.InvokeModelWithResponseStreamCommand(input))).body),
    told_aws,
  );
  told('invoke_stream', model, { ...error, events: counted.events });
  error = await failed(async () => read(await claude.messages.create({ ...message(model), stream: true })), told_claude);
  told('claude_stream', model, error);
}

for (const model of plan.replies) {
  const whole = await client.send(new bedrock.ConverseCommand(hello(model)));
  const events = [];
  const made = await client.send(new bedrock.ConverseStreamCommand(hello(model)));
  for await (const event of made.stream) events.push(event);
  told('reply', model, {
    content: whole.output.message.content,
    reason: whole.stopReason,
    text: events.map((event) => event.contentBlockDelta?.delta.text ?? '').join(''),
    stream_reason: events.find((event) => event.messageStop).messageStop.stopReason,
    claude: await claude.messages.create(message(model)),
    claude_stream: await claude.messages.stream(message(model)).finalMessage(),
  });
}

client.destroy();
