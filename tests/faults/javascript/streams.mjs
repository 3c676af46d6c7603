// Has one official JavaScript SDK read answers: argv[2] is JSON of {client, urls}. Prints one JSON line per URL and mode
// (whole, stream): what an application finds. Proxies whose name begins with "tool" are asked for a tool call; with
// {client, final} the SDK's own helper is asked for the final message of a stream.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return { ...module.default, ...module };
};

const story = 'Tell me about ducks.';
const weather = 'What is the weather in Paris?';
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const description = 'The weather in a city';
const name = 'get_weather';

async function openai(url, withTools, isStreaming) {
  const { default: OpenAI } = await load('openai');
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1`, maxRetries: 0 });
  const asked = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: withTools ? weather : story }] };
  if (withTools) {
    asked.tools = [{ type: 'function', function: { name, description, parameters: schema } }];
    asked.tool_choice = 'required';
  }
  const answer = { finish: null, text: '', refusal: '', calls: [] };
  if (!isStreaming) {
    const { finish_reason: finish, message } = (await client.chat.completions.create(asked)).choices[0];
    const calls = (message.tool_calls ?? []).map((call) => call.function.arguments);
    return { finish, text: message.content ?? '', refusal: message.refusal ?? '', calls };
  }
  for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) {
    for (const { delta, finish_reason: finish } of choices) {
      answer.finish = finish ?? answer.finish;
      answer.text += delta.content ?? '';
      answer.refusal += delta.refusal ?? '';
      for (const call of delta.tool_calls ?? []) {
        answer.calls[call.index] = (answer.calls[call.index] ?? '') + (call.function.arguments ?? '');
      }
    }
  }
  return answer;
}

async function anthropicOf(url) {
  const { default: Anthropic } = await load('@anthropic-ai/sdk');
  return new Anthropic({ apiKey: 'sk-ant-test', baseURL: url, maxRetries: 0 });
}

function messagesOf(withTools) {
  const messages = [{ role: 'user', content: withTools ? weather : story }];
  const asked = { model: 'claude-haiku-4-5', max_tokens: 300, messages };
  if (withTools) {
    asked.tools = [{ name, description, input_schema: schema }];
    asked.tool_choice = { type: 'tool', name };
  }
  return asked;
}

async function anthropic(url, withTools, isStreaming) {
  const client = await anthropicOf(url);
  const asked = messagesOf(withTools);
  const answer = { finish: null, text: '', refusal: '', calls: [] };
  if (!isStreaming) {
    const message = await client.messages.create(asked);
    answer.finish = message.stop_reason;
    for (const block of message.content) {
      if (block.type === 'text') answer.text += block.text;
      if (block.type === 'tool_use') answer.calls.push(JSON.stringify(block.input));
    }
    return answer;
  }
  const calls = {};
  for await (const event of await client.messages.create({ ...asked, stream: true })) {
    if (event.type === 'message_delta') answer.finish = event.delta.stop_reason;
    if (event.type !== 'content_block_delta') continue;
    if (event.delta.type === 'text_delta') answer.text += event.delta.text;
    if (event.delta.type === 'input_json_delta') calls[event.index] = (calls[event.index] ?? '') + event.delta.partial_json;
  }
  answer.calls = Object.values(calls);
  return answer;
}

async function genai(baseUrl, withTools, isStreaming) {
  const { GoogleGenAI } = await load('@google/genai');
  const client = new GoogleGenAI({ apiKey: 'AIza-test', httpOptions: { baseUrl } });
  const asked = { model: 'gemini-2.5-flash', contents: withTools ? weather : story };
  if (withTools) {
    asked.config = {
      tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY' } },
    };
  }
  const answer = { finish: null, text: '', refusal: '', calls: [] };
  const replies = isStreaming
    ? await client.models.generateContentStream(asked)
    : [await client.models.generateContent(asked)];
  for await (const reply of replies) {
    for (const candidate of reply.candidates ?? []) {
      answer.finish = candidate.finishReason ?? answer.finish;
      for (const part of candidate.content?.parts ?? []) {
        answer.text += part.text ?? '';
        if (part.functionCall) answer.calls.push(JSON.stringify(part.functionCall.args ?? null));
      }
    }
  }
  return answer;
}

async function aws(endpoint, withTools, isStreaming) {
  const { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } = await load('@aws-sdk/client-bedrock-runtime');
  const credentials = { accessKeyId: 'AKIADUMMY', secretAccessKey: 'dummy' };
  const client = new BedrockRuntimeClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 });
  const asked = {
    modelId: 'us.amazon.nova-lite-v1:0',
    messages: [{ role: 'user', content: [{ text: withTools ? weather : story }] }],
  };
  if (withTools) {
    const toolSpec = { name, description, inputSchema: { json: schema } };
    asked.toolConfig = { tools: [{ toolSpec }], toolChoice: { any: {} } };
  }
  const answer = { finish: null, text: '', refusal: '', calls: [] };
  if (isStreaming) {
    const calls = {};
    for await (const event of (await client.send(new ConverseStreamCommand(asked))).stream) {
      const delta = event.contentBlockDelta?.delta;
      answer.text += delta?.text ?? '';
      const at = event.contentBlockDelta?.contentBlockIndex;
      if (delta?.toolUse) calls[at] = (calls[at] ?? '') + delta.toolUse.input;
      answer.finish = event.messageStop?.stopReason ?? answer.finish;
    }
    answer.calls = Object.values(calls);
  } else {
    const reply = await client.send(new ConverseCommand(asked));
    answer.finish = reply.stopReason;
    for (const block of reply.output.message.content) {
      answer.text += block.text ?? '';
      if (block.toolUse) answer.calls.push(JSON.stringify(block.toolUse.input));
    }
  }
  client.destroy();
  return answer;
}

const CLIENTS = {
  'OpenAI JavaScript': openai,
  'Anthropic JavaScript': anthropic,
  'Google GenAI JavaScript': genai,
  'AWS JavaScript': aws,
};

const { client, urls, final } = JSON.parse(process.argv[2]);
if (final) {
  const found = { raised: null, message: '' };
  try {
    await (await anthropicOf(final)).messages.stream(messagesOf(false)).finalMessage();
  } catch (error) {
    Object.assign(found, { raised: error.constructor.name, message: String(error.message) });
  }
  console.log(JSON.stringify(found));
}
for (const [called, url] of Object.entries(urls ?? {})) {
  for (const mode of ['whole', 'stream']) {
    const answer = await CLIENTS[client](url, called.startsWith('tool'), mode === 'stream');
    console.log(JSON.stringify({ name: called, mode, ...answer }));
  }
}
process.exit(0);
