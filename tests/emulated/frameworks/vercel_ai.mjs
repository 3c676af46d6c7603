// Drives the Vercel AI SDK with every provider's model: an agent with a tool, a structured output, a stream.
// Argument: JSON of provider id -> base URL. One JSON line per model and scenario on stdout.

import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createAzure } from '@ai-sdk/azure';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const urls = JSON.parse(process.argv[2]);
const openai = createOpenAI({ apiKey: 'k', baseURL: `${urls.openai}/v1` });
const azure = createAzure({ apiKey: 'k', baseURL: `${urls.azure_openai}/openai`, apiVersion: '2024-10-21', useDeploymentBasedUrls: true });
const azureV1 = createAzure({ apiKey: 'k', baseURL: `${urls.azure_openai}/openai/v1` });
const anthropic = createAnthropic({ apiKey: 'k', baseURL: `${urls.anthropic}/v1` });
const bedrock = createAmazonBedrock({ region: 'us-east-1', accessKeyId: 'AKIA', secretAccessKey: 'k', baseURL: urls.bedrock });
const google = createGoogleGenerativeAI({ apiKey: 'k', baseURL: `${urls.vertex_ai}/v1beta` });

const models = {
  'openai-chat': openai.chat('gpt-4o-mini'),
  'openai-responses': openai.responses('gpt-4o-mini'),
  'azure-deployments': azure.chat('gpt-4o-mini'),
  'azure-v1': azureV1('gpt-4o-mini'),
  anthropic: anthropic('claude-haiku-4-5'),
  bedrock: bedrock('us.anthropic.claude-haiku-4-5-20251001-v1:0'),
  gemini: google('gemini-2.5-flash'),
};

const City = z.object({
  name: z.string(),
  country: z.string(),
  population: z.number().int().min(1),
  landmarks: z.array(z.string()).min(1),
});

const scenarios = {
  async agent(model) {
    const asked = [];
    const done = await generateText({
      model,
      prompt: 'What is the weather in Paris?',
      stopWhen: stepCountIs(5),
      tools: {
        get_weather: tool({
          description: 'The weather in a city, right now.',
          inputSchema: z.object({ city: z.string() }),
          execute: async ({ city }) => {
            asked.push(city);
            return `17 degrees and drizzle in ${city}`;
          },
        }),
      },
    });
    return { text: done.text, asked, steps: done.steps.length, tokens: done.usage.outputTokens };
  },
  async streamed_agent(model) {
    const asked = [];
    const done = streamText({
      model,
      prompt: 'What is the weather in Paris?',
      stopWhen: stepCountIs(5),
      tools: {
        get_weather: tool({
          description: 'The weather in a city, right now.',
          inputSchema: z.object({ city: z.string() }),
          execute: async ({ city }) => {
            asked.push(city);
            return `17 degrees and drizzle in ${city}`;
          },
        }),
      },
      onError: ({ error }) => { throw error; },
    });
    let text = '';
    for await (const piece of done.textStream) text += piece;
    return { text, asked, steps: (await done.steps).length };
  },
  async structured(model) {
    const done = await generateText({
      model,
      prompt: 'Tell me about the city of Lisbon.',
      output: Output.object({ schema: City }),
    });
    return { value: done.output };
  },
  async stream(model) {
    const prompt = 'Tell me something about ducks.';
    const pieces = [];
    for await (const piece of streamText({ model, prompt, onError: ({ error }) => { throw error; } }).textStream) pieces.push(piece);
    return { pieces: pieces.length, text: pieces.join(''), unary: (await generateText({ model, prompt })).text };
  },
};

async function observe(model, scenario, run) {
  let result = { model, scenario };
  try {
    result = { ...result, ...(await run()) };
  } catch (error) {
    result.error = String(error?.stack ?? error).slice(0, 1500);
  }
  console.log(JSON.stringify(result));
}

process.on('unhandledRejection', () => {});
for (const [name, model] of Object.entries(models)) {
  for (const [scenario, run] of Object.entries(scenarios)) await observe(name, scenario, () => run(model));
}
for (const [name, model] of Object.entries({
  openai: openai.textEmbeddingModel('text-embedding-3-small'),
  gemini: google.textEmbeddingModel('gemini-embedding-001'),
  bedrock: bedrock.textEmbeddingModel('amazon.titan-embed-text-v2:0'),
})) {
  await observe(name, 'embed', async () => {
    const { embeddings } = await embedMany({ model, values: ['ducks on a pond', 'a pond full of ducks', 'quarterly tax return'] });
    const near = (one, other) => one.reduce((sum, value, at) => sum + value * other[at], 0);
    return { size: embeddings[0].length, near: near(embeddings[0], embeddings[1]), far: near(embeddings[0], embeddings[2]) };
  });
}
