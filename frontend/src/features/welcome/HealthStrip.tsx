import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";

import type { HealthState } from "../../api/health";
import { CodeBlock } from "../../components/CodeBlock";
import { clockTime, facts, type Tone } from "./words";

const MARKS = {
  ok: <CircleCheck size={16} className="text-ok" aria-hidden />,
  limited: <TriangleAlert size={16} className="text-limited" aria-hidden />,
  error: <CircleX size={16} className="text-error" aria-hidden />,
  unknown: null,
} satisfies Record<Tone, unknown>;

/** The parts of the installation side by side, and what to do about one that is missing. */
export function HealthStrip({ state }: { state: HealthState }) {
  const isSupervisorMissing =
    state.kind === "known" && state.health.database === "ok" && state.health.supervisor !== "ok";
  return (
    <section aria-label="Health" aria-live="polite">
      <dl className="grid grid-cols-2 border-y border-line sm:grid-cols-4 sm:divide-x sm:divide-line">
        {facts(state).map(({ name, value, tone }, index) => (
          <div
            key={name}
            className={`py-3.5 sm:px-5 sm:first:pl-0 ${index > 1 ? "border-t border-line sm:border-t-0" : ""}`}
          >
            <dt className="text-[13px] text-fg-muted">{name}</dt>
            <dd className="mt-1 flex h-6 items-center gap-1.5 text-base font-semibold">
              {MARKS[tone]}
              {value || (
                <span className="block h-4 w-20 rounded-sm bg-muted" aria-label="Loading" />
              )}
            </dd>
          </div>
        ))}
      </dl>
      {isSupervisorMissing && (
        <Notice tone="limited">
          <p>
            The supervisor runs the proxies and is not running.{" "}
            <code className="font-mono text-[13px]">make run</code> starts it together with this
            page; alone it is started by:
          </p>
          <CodeBlock
            text=".venv/bin/python manage.py runproxies"
            what="the command that starts the supervisor"
          />
        </Notice>
      )}
      {!isSupervisorMissing && state.kind === "known" && !!state.health.failed_proxies && (
        <Notice tone="error">
          <p>
            The supervisor tries again from time to time. This says which proxies it is about, and
            why:
          </p>
          <CodeBlock
            text=".venv/bin/python manage.py proxy list"
            what="the command that lists proxies"
          />
        </Notice>
      )}
      {state.kind === "known" && state.health.database !== "ok" && (
        <Notice tone="error">
          <p>
            Running proxies go on answering and keep their log records until the database is back.
            The web pages, the admin and the API wait for it.
          </p>
        </Notice>
      )}
      {state.kind === "unreachable" && (
        <Notice tone="error">
          <p>
            {state.at ? `It last answered at ${clockTime(state.at)}. ` : ""}This page asks again
            every 5 seconds. Proxies are programs of their own and may well be running.
          </p>
        </Notice>
      )}
    </section>
  );
}

function Notice({ tone, children }: { tone: "limited" | "error"; children: React.ReactNode }) {
  const colours =
    tone === "limited" ? "bg-limited-soft text-limited-text" : "bg-error-soft text-error-text";
  return <div className={`mt-4 space-y-3 rounded-lg p-4 ${colours}`}>{children}</div>;
}
