// Meets the errors of a proxy with the official @google/genai; prints one JSON line per case. A case is named by a
// header.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDK_NODE_MODULES, 'x.js'));
const load = async (name) => {
  const module = await import(pathToFileURL(require.resolve(name)).href);
  return { ...module.default, ...module };
};
const { GoogleGenAI } = await load('@google/genai');
const { OAuth2Client } = await load('google-auth-library');

const [baseUrl, style, ...reasons] = process.argv.slice(2);
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: 'ya29.test' });
const client = (name) => {
  const httpOptions = { baseUrl, headers: { 'x-case': name } };
  return {
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
};
const asked = { model: 'gemini-2.5-flash', contents: 'Say hello.' };
const told = (name, error, more = {}) =>
  console.log(
    JSON.stringify({
      name,
      value: { class: error.constructor.name, status: error.status, message: error.message, ...more },
    }),
  );

for (const name of [...reasons, 'page']) {
  try {
    await client(name).models.generateContent(asked);
  } catch (error) {
    told(name, error);
  }
}

let chunks = 0;
try {
  for await (const _ of await client('streaming').models.generateContentStream(asked)) chunks += 1;
} catch (error) {
  told('streaming', error, { chunks });
}
