// Drives the official @aws-sdk/client-bedrock-runtime, with its stock handler (HTTP/2), over an emulated proxy; prints
// one JSON line per scenario.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const sdk = await import(pathToFileURL(require.resolve('@aws-sdk/client-bedrock-runtime')).href);
const bedrock = { ...sdk.default, ...sdk };

const endpoint = process.argv[2];
const credentials = { accessKeyId: 'AKIADUMMY', secretAccessKey: 'dummy' };
const client = new bedrock.BedrockRuntimeClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 });
const bearer = new bedrock.BedrockRuntimeClient({
  region: 'us-east-1',
  endpoint,
  token: { token: 'bedrock-api-key-test' },
  authSchemePreference: ['httpBearerAuth'],
});
const told = (name, value) => console.log(JSON.stringify({ name, value }));
const failed = async (work) => {
  try {
    await work;
    return null;
  } catch (error) {
    return { name: error.name, message: error.message, status: error.$metadata?.httpStatusCode };
  }
};

const modelId = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const user = (text) => ({ role: 'user', content: [{ text }] });
const hello = { modelId, messages: [user('Say hello.')] };
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const toolConfig = {
  tools: [{ toolSpec: { name: 'get_weather', description: 'The weather in a city', inputSchema: { json: city } } }],
};
const plain = ({ $metadata, ...reply }) => reply;

async function streamed(input) {
  const blocks = [];
  const reply = { output: { message: { role: null, content: blocks } } };
  const made = await client.send(new bedrock.ConverseStreamCommand(input));
  for await (const event of made.stream) {
    if (event.messageStart) reply.output.message.role = event.messageStart.role;
    if (event.contentBlockStart) {
      blocks[event.contentBlockStart.contentBlockIndex] = {
        toolUse: { ...event.contentBlockStart.start.toolUse, input: '' },
      };
    }
    if (event.contentBlockDelta) {
      const { contentBlockIndex: index, delta } = event.contentBlockDelta;
      blocks[index] ??= delta.reasoningContent ? { reasoningContent: { reasoningText: { text: '' } } } : { text: '' };
      if (delta.text !== undefined) blocks[index].text += delta.text;
      if (delta.toolUse) blocks[index].toolUse.input += delta.toolUse.input;
      if (delta.reasoningContent?.text) blocks[index].reasoningContent.reasoningText.text += delta.reasoningContent.text;
      if (delta.reasoningContent?.signature) {
        blocks[index].reasoningContent.reasoningText.signature = delta.reasoningContent.signature;
      }
    }
    if (event.messageStop) reply.stopReason = event.messageStop.stopReason;
    if (event.metadata) Object.assign(reply, event.metadata);
  }
  for (const block of blocks) {
    if (block.toolUse) block.toolUse.input = JSON.parse(block.toolUse.input);
  }
  return reply;
}

told('whole', plain(await client.send(new bedrock.ConverseCommand(hello))));
told('streamed', await streamed(hello));
told('bearer', plain(await bearer.send(new bedrock.ConverseCommand(hello))));

const thinks = {
  ...hello,
  additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2048 } },
};
told('thought', plain(await client.send(new bedrock.ConverseCommand(thinks))));
told('thought_streamed', await streamed(thinks));

const asks = { modelId, messages: [user('What is the weather in Paris?')], toolConfig };
told('tool', plain(await client.send(new bedrock.ConverseCommand(asks))));
told('tool_streamed', await streamed(asks));

const messages = [...asks.messages];
let turns = 0;
let reason = 'tool_use';
while (reason === 'tool_use' && turns < 5) {
  const made = await client.send(new bedrock.ConverseCommand({ ...asks, messages }));
  reason = made.stopReason;
  turns += 1;
  messages.push(made.output.message);
  const results = made.output.message.content
    .filter((block) => block.toolUse)
    .map(({ toolUse }) => ({
      toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: '21 degrees' }], status: 'success' },
    }));
  if (results.length) messages.push({ role: 'user', content: results });
}
told('loop', { turns, reason, said: messages.at(-1).content[0].text });

const body = JSON.stringify({
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Say hello.' }],
});
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
const invoked = await client.send(new bedrock.InvokeModelCommand({ modelId, body }));
told('invoked', decode(invoked.body));
const chunks = [];
const invokedStream = await client.send(new bedrock.InvokeModelWithResponseStreamCommand({ modelId, body }));
for await (const event of invokedStream.body) chunks.push(decode(event.chunk.bytes));
told('invoked_streamed', { chunks, type: invokedStream.contentType });

const input = { converse: { messages: hello.messages } };
told('counted', (await client.send(new bedrock.CountTokensCommand({ modelId, input }))).inputTokens);
const guard = { guardrailIdentifier: 'abc', guardrailVersion: '1', source: 'INPUT', content: [{ text: { text: 'Hi.' } }] };
told('guarded', (await client.send(new bedrock.ApplyGuardrailCommand(guard))).action);
told('refused', await failed(client.send(new bedrock.ConverseCommand({ modelId, messages: [] }))));
told(
  'refused_stream',
  await failed(client.send(new bedrock.ConverseStreamCommand({ ...hello, inferenceConfig: { temperature: 3 } }))),
);

client.destroy();
bearer.destroy();
