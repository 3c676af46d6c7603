// Has the official JavaScript SDKs meet broken replies: argv[2] is JSON of [{client, fault, mode, url, timeout}]. Prints one
// JSON line per call: what was thrown, or what came back.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return { ...module.default, ...module };
};
const { default: OpenAI } = await load('openai');
const { default: Anthropic } = await load('@anthropic-ai/sdk');
const { GoogleGenAI } = await load('@google/genai');
const { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } = await load('@aws-sdk/client-bedrock-runtime');

const messages = [{ role: 'user', content: 'Say hello.' }];

function openai(url, timeout) {
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1`, ...(timeout ? { timeout } : {}) });
  const asked = { model: 'gpt-4o-mini', messages };
  return {
    whole: async () => {
      const reply = await client.chat.completions.create(asked);
      return typeof reply === 'object' ? reply.choices[0].message.content : reply;
    },
    stream: async (heard) => {
      for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
        heard(chunk.choices[0]?.delta?.content ?? '');
      }
    },
  };
}

function anthropic(url, timeout) {
  const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: url, ...(timeout ? { timeout } : {}) });
  const asked = { model: 'claude-haiku-4-5', max_tokens: 200, messages };
  return {
    whole: async () => {
      const reply = await client.messages.create(asked);
      return typeof reply === 'object' ? reply.content[0].text : reply;
    },
    stream: async (heard) => {
      for await (const event of await client.messages.create({ ...asked, stream: true })) {
        heard(event.type === 'content_block_delta' ? event.delta.text : '');
      }
    },
  };
}

function genai(baseUrl, timeout) {
  const client = new GoogleGenAI({ apiKey: 'AIza-test', httpOptions: { baseUrl, ...(timeout ? { timeout } : {}) } });
  const asked = { model: 'gemini-2.5-flash', contents: 'Say hello.' };
  return {
    whole: async () => (await client.models.generateContent(asked)).text,
    stream: async (heard) => {
      for await (const chunk of await client.models.generateContentStream(asked)) heard(chunk.text ?? '');
    },
  };
}

function aws(endpoint, timeout) {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'AKIADUMMY', secretAccessKey: 'dummy' },
    ...(timeout ? { requestHandler: { requestTimeout: timeout, sessionTimeout: timeout } } : {}),
  });
  const asked = { modelId: 'us.amazon.nova-lite-v1:0', messages: [{ role: 'user', content: [{ text: 'Say hello.' }] }] };
  return {
    whole: async () => (await client.send(new ConverseCommand(asked))).output?.message?.content?.[0]?.text,
    stream: async (heard) => {
      for await (const event of (await client.send(new ConverseStreamCommand(asked))).stream) {
        heard(event.contentBlockDelta?.delta?.text ?? '');
      }
    },
    close: () => client.destroy(),
  };
}

const CLIENTS = {
  'OpenAI JavaScript': openai,
  'Anthropic JavaScript': anthropic,
  'Google GenAI JavaScript': genai,
  'AWS JavaScript': aws,
};

async function meet({ client, fault, mode, url, timeout }) {
  const sdk = CLIENTS[client](url, timeout);
  const seen = { client, fault, mode, raised: null, message: null, returned: null, text: '', events: 0 };
  try {
    const returned = await sdk[mode]((text) => {
      seen.events += 1;
      seen.text += text;
    });
    seen.returned = mode === 'whole' ? String(returned) : 'end';
  } catch (error) {
    const name = error.constructor.name;
    seen.raised = ['DOMException', 'Error'].includes(name) ? error.name : name;
    seen.message = String(error.message).split('\n')[0];
  }
  sdk.close?.();
  console.log(JSON.stringify(seen));
}

await Promise.all(JSON.parse(process.argv[2]).map(meet));
process.exit(0);
