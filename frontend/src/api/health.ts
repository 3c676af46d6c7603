import { useEffect, useState } from "react";

/** What `/healthz` answers, also with status 503. */
export interface Health {
  status: string;
  version: string;
  database: string;
  supervisor: string;
  running_proxies: number | null;
  failed_proxies: number | null;
}

/** `unreachable`: the web server does not answer; `at` is when it last did, in milliseconds since 1970. */
export type HealthState =
  | { kind: "loading" }
  | { kind: "known"; health: Health; at: number }
  | { kind: "unreachable"; at: number | null };

const EVERY_MS = 5_000;

export async function fetchHealth(): Promise<Health> {
  const reply = await fetch("/healthz", {
    headers: { accept: "application/json" },
    cache: "no-store",
  });
  return (await reply.json()) as Health;
}

/** Asks every 5 seconds while the page is visible. */
export function useHealth(): HealthState {
  const [state, setState] = useState<HealthState>({ kind: "loading" });

  useEffect(() => {
    let isOver = false;
    const ask = async () => {
      if (document.hidden) return;
      try {
        const health = await fetchHealth();
        if (!isOver) setState({ kind: "known", health, at: Date.now() });
      } catch {
        if (!isOver)
          setState((before) => ({
            kind: "unreachable",
            at: before.kind === "loading" ? null : before.at,
          }));
      }
    };
    const askNow = () => void ask();
    askNow();
    const timer = setInterval(askNow, EVERY_MS);
    document.addEventListener("visibilitychange", askNow);
    return () => {
      isOver = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", askNow);
    };
  }, []);

  return state;
}
