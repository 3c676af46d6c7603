import { useHealth } from "../../api/health";
import { Duck } from "../../components/Duck";
import { ThemeButton } from "../../components/ThemeButton";
import { FirstProxy } from "./FirstProxy";
import { HealthStrip } from "./HealthStrip";
import { Places } from "./Places";
import { headline } from "./words";

const DOTS = { ok: "bg-ok", limited: "bg-limited", error: "bg-error", unknown: "bg-transparent" };

/** What Rubberduck is, whether it is healthy, where things are, and how to make the first proxy. */
export function WelcomePage() {
  const health = useHealth();
  const { text, tone } = headline(health);
  const version = health.kind === "known" ? health.health.version : "";

  return (
    <>
      <header className="border-b border-line">
        <div className="mx-auto flex h-13 max-w-[1120px] items-center gap-2 px-4 sm:px-8">
          <Duck />
          <span className="text-base font-semibold tracking-tight">Rubberduck</span>
          {version && (
            <span className="mt-0.5 font-mono text-[12px] text-fg-subtle">{version}</span>
          )}
          <span className="flex-1" />
          <ThemeButton />
        </div>
      </header>
      <main className="mx-auto max-w-[1120px] px-4 pt-10 pb-20 sm:px-8">
        <h1 className="flex items-center gap-2.5 text-2xl/8 font-semibold tracking-[-0.02em]">
          {text}
          {tone !== "unknown" && (
            <span aria-hidden className={`mt-1 size-2 rounded-full ${DOTS[tone]}`} />
          )}
        </h1>
        <p className="mt-2 max-w-[68ch] text-fg-muted">
          A caching reverse proxy for LLM APIs. Point a provider’s official SDK at a proxy’s port:
          answers are recorded and replayed, and every request is logged with its latency, tokens
          and cost.
        </p>
        <div className="mt-7">
          <HealthStrip state={health} />
        </div>
        <div className="mt-9 grid grid-cols-[minmax(0,1fr)] gap-x-14 gap-y-9 lg:grid-cols-[minmax(0,1fr)_320px]">
          <FirstProxy />
          <Places />
        </div>
      </main>
    </>
  );
}
