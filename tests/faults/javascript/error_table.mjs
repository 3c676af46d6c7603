// Has one official JavaScript SDK (argv[2]) meet the errors of many proxies, all at once: argv[3] is JSON of {name: url}.
// Prints one JSON object: {name: [status, class]}. Retries are the SDK's own; its waits before them are not waited.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return { ...module.default, ...module };
};
const [, , name, urls] = process.argv;

// Told by their caller: the SDKs' function for these waits. All other timers keep their time.
const { setTimeout: real } = globalThis;
globalThis.setTimeout = (work, wait, ...given) =>
  real(work, /[\\/]sleep\.m?js:/.test(new Error().stack) ? 0 : wait, ...given);

const messages = [{ role: 'user', content: 'Say hello.' }];
const chat = (client) => client.chat.completions.create({ model: 'gpt-4o-mini', messages });
const message = (client, model) => client.messages.create({ model, max_tokens: 100, messages });
const status = (error) => error.status;

async function openai() {
  const { default: OpenAI } = await load('openai');
  return [(url) => chat(new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1` })), status];
}

async function azure() {
  const { AzureOpenAI } = await load('openai');
  const connect = (endpoint) => new AzureOpenAI({ apiKey: 'key', endpoint, apiVersion: '2024-10-21' });
  return [(url) => chat(connect(url)), status];
}

async function anthropic() {
  const { default: Anthropic } = await load('@anthropic-ai/sdk');
  return [(url) => message(new Anthropic({ apiKey: 'sk-ant-test', baseURL: url }), 'claude-haiku-4-5'), status];
}

async function anthropicBedrock() {
  const { AnthropicBedrock } = await load('@anthropic-ai/bedrock-sdk');
  const connect = (baseURL) =>
    new AnthropicBedrock({ awsAccessKey: 'AKIADUMMY', awsSecretKey: 'dummy', awsRegion: 'us-east-1', baseURL });
  return [(url) => message(connect(url), 'anthropic.claude-haiku-4-5-20251001-v1:0'), status];
}

async function genai() {
  const { GoogleGenAI } = await load('@google/genai');
  const connect = (baseUrl) => new GoogleGenAI({ apiKey: 'AIza-test', httpOptions: { baseUrl } });
  const asked = { model: 'gemini-2.5-flash', contents: 'Say hello.' };
  return [(url) => connect(url).models.generateContent(asked), status];
}

async function aws() {
  const { BedrockRuntimeClient, ConverseCommand } = await load('@aws-sdk/client-bedrock-runtime');
  const credentials = { accessKeyId: 'AKIADUMMY', secretAccessKey: 'dummy' };
  const asked = { modelId: 'amazon.nova-lite-v1:0', messages: [{ role: 'user', content: [{ text: 'Say hello.' }] }] };
  // A client for each call: its allowance for retries is shared by all that it sends.
  const connect = (endpoint) => new BedrockRuntimeClient({ region: 'us-east-1', endpoint, credentials });
  return [(url) => connect(url).send(new ConverseCommand(asked)), (error) => error.$metadata?.httpStatusCode];
}

const CLIENTS = {
  'OpenAI JavaScript': openai,
  'AzureOpenAI JavaScript': azure,
  'Anthropic JavaScript': anthropic,
  'AnthropicBedrock JavaScript': anthropicBedrock,
  'Google GenAI JavaScript': genai,
  'AWS JavaScript': aws,
};

const [ask, statusOf] = await CLIENTS[name]();
const failures = Object.entries(JSON.parse(urls)).map(async ([reason, url]) => {
  try {
    await ask(url);
  } catch (error) {
    return [reason, [statusOf(error) ?? null, error.constructor.name]];
  }
  throw new Error(`${reason}: no error`);
});
console.log(JSON.stringify(Object.fromEntries(await Promise.all(failures))));
process.exit(0);
