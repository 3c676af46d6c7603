// Drives the official `@google/genai` against Vertex AI and against the Gemini API.

import { Chunks, given, load, observedFetch, prompt, run, WEATHER } from './driver.mjs';

globalThis.fetch = observedFetch;
const { GoogleGenAI } = await load('@google/genai');
const { OAuth2Client } = await load('google-auth-library');

function makeClient() {
  const httpOptions = { baseUrl: given.baseUrl };
  if (given.style === 'gemini') return new GoogleGenAI({ apiKey: given.key ?? 'AIza-standin', httpOptions });
  if (given.style === 'express') return new GoogleGenAI({ vertexai: true, apiKey: given.key ?? 'AQ.standin', httpOptions });
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: given.key ?? 'ya29.standin' });
  const project = { project: 'standin-project', location: 'us-central1' };
  return new GoogleGenAI({ vertexai: true, ...project, googleAuthOptions: { authClient }, httpOptions });
}

const client = makeClient();
const model = 'gemini-2.5-flash';
const config = {
  tools: [{ functionDeclarations: [{ name: 'get_weather', description: 'Weather', parametersJsonSchema: WEATHER }] }],
};

async function unary(text) {
  const made = await client.models.generateContent({ model, contents: prompt(text) });
  return { text: made.text, usage: made.usageMetadata, request_id: made.responseId };
}

async function stream(text) {
  const seen = new Chunks();
  let usage = null;
  for await (const chunk of await client.models.generateContentStream({ model, contents: prompt(text) })) {
    seen.came();
    seen.text += chunk.text ?? '';
    usage = chunk.usageMetadata ?? usage;
  }
  return seen.observed({ usage });
}

async function tool() {
  const made = await client.models.generateContent({ model, contents: prompt('Weather?'), config });
  const call = made.functionCalls[0];
  return { tool: { name: call.name, arguments: call.args }, usage: made.usageMetadata };
}

async function toolStream() {
  const seen = new Chunks();
  let call = null;
  for await (const chunk of await client.models.generateContentStream({ model, contents: prompt('Weather?'), config })) {
    seen.came();
    call = chunk.functionCalls?.[0] ?? call;
  }
  return seen.observed({ tool: call && { name: call.name, arguments: call.args } });
}

async function embeddings() {
  const made = await client.models.embedContent({ model: 'gemini-embedding-001', contents: prompt('one') });
  return { value: made.embeddings.map((entry) => entry.values) };
}

async function countTokens() {
  return { value: (await client.models.countTokens({ model, contents: prompt('Count this.') })).totalTokens };
}

async function models() {
  const value = [];
  for await (const entry of await client.models.list()) value.push(entry.name);
  return { value };
}

async function upload() {
  const content = 'A duck, in bytes.\n'.repeat(50);
  const made = await client.files.upload({ file: new Blob([content]), config: { mimeType: 'text/plain' } });
  return { value: { size: Number(made.sizeBytes), sent: content.length, state: made.state } };
}

const scenarios = {
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
  error_429: () => unary('please fail 429'),
  error_500: () => unary('please fail 500'),
  embeddings,
  embeddings_again: embeddings,
  count_tokens: countTokens,
  count_tokens_again: countTokens,
  models,
  models_again: models,
};
if (given.style === 'gemini') scenarios.upload = upload;
await run(scenarios);
