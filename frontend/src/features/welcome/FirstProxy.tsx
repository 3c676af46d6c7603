import { useState, type ReactNode } from "react";

import { useProviders, type Provider, type Snippet } from "../../api/providers";
import { CodeBlock } from "../../components/CodeBlock";
import { Section } from "../../components/Section";
import { Choice } from "../../components/Choice";

const MANAGE = ".venv/bin/python manage.py";
const EMULATED = "emulated";

/** From nothing to a first answer through a proxy, in three commands to copy. */
export function FirstProxy() {
  const providers = useProviders();
  const [providerId, setProviderId] = useState("openai");
  const [upstream, setUpstream] = useState(EMULATED);
  const isEmulated = upstream === EMULATED;
  const isListed = Array.isArray(providers);
  const provider = isListed ? providers.find(({ id }) => id === providerId) : undefined;
  const needsAddress = !isEmulated && (provider?.needs_upstream ?? false);
  const create = createCommand(providerId, isEmulated, needsAddress);

  return (
    <Section
      title="Your first proxy"
      aside={<span className="text-[13px] text-fg-muted">in the project’s directory</span>}
    >
      <ol className="divide-y divide-line">
        <Step number={1} title="Create and start it">
          {isListed && (
            <Choice
              label="Provider"
              options={providers.map(({ id, label }) => ({ id, label }))}
              chosen={providerId}
              onChoose={setProviderId}
            />
          )}
          <Choice
            label="Who answers"
            options={[
              { id: EMULATED, label: "Answers by itself, no key needed" },
              { id: "provider", label: "Forwards to the provider" },
            ]}
            chosen={upstream}
            onChoose={setUpstream}
          />
          {providers instanceof Error && (
            <p className="text-error-text">
              The list of providers could not be loaded. {providers.message}
            </p>
          )}
          <CodeBlock text={create} what="the command that creates a proxy" />
          <p className="text-fg-muted">
            The answer shows the proxy’s address: the base URL below, unless its port was taken.
            {needsAddress && " Put your own resource’s address in place of the example."}
          </p>
        </Step>
        <Step number={2} title="Point the official SDK at it">
          {provider ? (
            <Snippets key={provider.id} provider={provider} />
          ) : (
            <p className="text-fg-muted">
              Only the base URL changes: the proxy’s address in place of the provider’s.
            </p>
          )}
          <p className="text-fg-muted">
            Only the base URL changes.{" "}
            {isEmulated
              ? "Any key will do, and nothing leaves this machine."
              : "Your key passes through to the provider and is stored nowhere."}{" "}
            Ask the same thing twice: the second answer comes from the cache.
          </p>
        </Step>
        <Step number={3} title="See what happened">
          <CodeBlock
            text={`${MANAGE} createsuperuser`}
            what="the command that creates an account"
          />
          <p className="text-fg-muted">
            The account opens the{" "}
            <a
              className="font-medium text-accent-text hover:underline"
              href="/admin/logs/requestlog/"
            >
              log of requests
            </a>{" "}
            and every setting in the admin.
          </p>
        </Step>
      </ol>
    </Section>
  );
}

function createCommand(providerId: string, isEmulated: boolean, needsAddress: boolean): string {
  const name = `my-${providerId.replaceAll("_", "-")}`;
  const address = needsAddress ? " --upstream https://my-resource.openai.azure.com" : "";
  const upstream = isEmulated ? " --upstream emulated" : address;
  return `${MANAGE} proxy create ${name} --provider ${providerId}${upstream} --start`;
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-4 py-6">
      <span
        aria-hidden
        className="flex size-6 shrink-0 items-center justify-center rounded-full border border-line-strong text-[12px] font-medium text-fg-muted"
      >
        {number}
      </span>
      <div className="min-w-0 flex-1 space-y-3">
        <h3 className="text-sm/6 font-medium">{title}</h3>
        {children}
      </div>
    </li>
  );
}

function Snippets({ provider }: { provider: Provider }) {
  const [chosen, setChosen] = useState(provider.snippets[0]?.id ?? "");
  const snippet: Snippet | undefined = provider.snippets.find(({ id }) => id === chosen);
  if (!snippet) return null;
  return (
    <CodeBlock
      text={snippet.code.trimEnd()}
      what={`the ${snippet.label} example`}
      header={
        <Choice
          label="Client"
          look="tabs"
          options={provider.snippets}
          chosen={chosen}
          onChoose={setChosen}
        />
      }
    />
  );
}
