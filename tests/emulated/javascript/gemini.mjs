// Drives the official @google/genai over an emulated proxy; prints one JSON line per scenario.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return { ...module.default, ...module };
};
const { GoogleGenAI, FunctionCallingConfigMode, Modality } = await load('@google/genai');
const { OAuth2Client } = await load('google-auth-library');

const [baseUrl, style] = process.argv.slice(2);
const httpOptions = { baseUrl };
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: 'ya29.test' });
const client = {
  gemini: () => new GoogleGenAI({ apiKey: 'AIza-test', httpOptions }),
  express: () => new GoogleGenAI({ vertexai: true, apiKey: 'AQ.test', httpOptions }),
  vertex: () =>
    new GoogleGenAI({
      vertexai: true,
      project: 'my-project',
      location: 'us-central1',
      googleAuthOptions: { authClient },
      httpOptions,
    }),
}[style]();
const model = 'gemini-2.5-flash';
const told = (name, value) => console.log(JSON.stringify({ name, value }));

const whole = await client.models.generateContent({ model, contents: 'Say hello.' });
told('whole', whole.text);
let text = '';
for await (const chunk of await client.models.generateContentStream({ model, contents: 'Say hello.' })) {
  text += chunk.text ?? '';
}
told('streamed', text);

const schema = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' }, kind: { type: 'array', items: { type: 'string' } } },
  required: ['name', 'age', 'kind'],
};
const parsed = await client.models.generateContent({
  model,
  contents: 'Ann is a duck of 3 years.',
  config: { responseMimeType: 'application/json', responseJsonSchema: schema },
});
told('parsed', parsed.text);

const parametersJsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ functionDeclarations: [{ name: 'get_weather', description: 'The weather', parametersJsonSchema }] }];
const contents = [{ role: 'user', parts: [{ text: 'What is the weather in Paris?' }] }];
const called = [];
let reply;
for (let round = 0; round < 5; round += 1) {
  reply = await client.models.generateContent({ model: 'gemini-3-flash-preview', contents, config: { tools } });
  if (!reply.functionCalls?.length) break;
  contents.push(reply.candidates[0].content);
  const parts = reply.functionCalls.map(({ id, name, args }) => {
    called.push(args.city);
    return { functionResponse: { id, name, response: { output: `12 degrees in ${args.city}` } } };
  });
  contents.push({ role: 'user', parts });
}
told('called', called);
told('final', reply.text);

const chat = client.chats.create({ model });
await chat.sendMessage({ message: 'My name is Ada.' });
let remembered = '';
for await (const chunk of await chat.sendMessageStream({ message: 'What is my name?' })) remembered += chunk.text ?? '';
told('remembered', remembered);

told('counted', (await client.models.countTokens({ model, contents: 'Say hello.' })).totalTokens);
told('used', whole.usageMetadata.promptTokenCount);

const embedded = await client.models.embedContent({
  model: 'gemini-embedding-001',
  contents: ['a duck', 'a goose'],
  config: { outputDimensionality: 64 },
});
told('embedded', embedded.embeddings.map((entry) => entry.values.length));

const models = [];
for await (const entry of await client.models.list()) models.push(entry.name);
told('models', models);

const thoughts = await client.models.generateContent({
  model,
  contents: 'How many ducks?',
  config: { thinkingConfig: { includeThoughts: true } },
});
told('thoughts', thoughts.usageMetadata.thoughtsTokenCount);

const picture = await client.models.generateContent({
  model: 'gemini-2.5-flash-image',
  contents: 'A duck.',
  config: { responseModalities: [Modality.IMAGE] },
});
told('picture', picture.candidates[0].content.parts[0].inlineData.mimeType);

try {
  const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } };
  await client.models.generateContent({ model, contents: 'Hi', config: { toolConfig } });
} catch (error) {
  told('refused', { status: error.status, message: error.message });
}

const question = { model: 'gemini-3-flash-preview', input: 'Say hello.' };
const spoken = (interaction) =>
  interaction.steps
    .filter((step) => step.type === 'model_output')
    .flatMap((step) => step.content.map((part) => part.text))
    .join('');
told('interaction', spoken(await client.interactions.create(question)));
let streamed = '';
for await (const event of await client.interactions.create({ ...question, stream: true })) {
  if (event.event_type === 'step.delta' && event.delta.type === 'text') streamed += event.delta.text;
}
told('interaction_streamed', streamed);

if (style === 'gemini') {
  const data = new Blob(['A duck, in bytes.\n'.repeat(50)]);
  const file = await client.files.upload({ file: data, config: { mimeType: 'text/plain' } });
  await client.files.delete({ name: file.name });
  const gone = await client.files.get({ name: file.name }).catch((error) => error.status);
  told('file', { size: Number(file.sizeBytes), state: file.state, gone });
}

if (style !== 'express') {
  const cache = await client.caches.create({
    model,
    config: { contents: 'The duck swims on the pond. '.repeat(300), ttl: '600s' },
  });
  const made = await client.models.generateContent({
    model,
    contents: 'What swims?',
    config: { cachedContent: cache.name },
  });
  await client.caches.delete({ name: cache.name });
  told('cached', made.usageMetadata.cachedContentTokenCount);
}
