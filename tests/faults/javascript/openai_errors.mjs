// Drives the official openai package through the failures of a plan (JSON on standard input), one after the other;
// prints what it raised as one JSON line for each.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const { default: OpenAI, AzureOpenAI } = await import(pathToFileURL(require.resolve('openai')).href);

const [, , style, url] = process.argv;
const plan = JSON.parse(readFileSync(0, 'utf8'));

for (const { fault, base = '', retries } of plan) {
  const shared = { maxRetries: retries, defaultHeaders: fault ? { 'x-rubberduck-fault': fault } : {} };
  const client =
    style === 'azure'
      ? new AzureOpenAI({ apiKey: 'key', endpoint: url + base, apiVersion: '2024-10-21', ...shared })
      : new OpenAI({ apiKey: 'sk-test', baseURL: `${url}${base}/v1`, ...shared });
  try {
    await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello.' }] });
    console.log(JSON.stringify({ name: null }));
  } catch (error) {
    const { status, code, type, param, message, requestID } = error;
    const told = { name: error.constructor.name, status, code, type, param, message, request_id: requestID };
    console.log(JSON.stringify(told));
  }
}
