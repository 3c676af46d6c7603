import type { HealthState } from "../../api/health";

export type Tone = "ok" | "limited" | "error" | "unknown";

export interface Fact {
  name: string;
  value: string;
  tone: Tone;
}

/** The page's headline: what the whole installation is doing. */
export function headline(state: HealthState): { text: string; tone: Tone } {
  if (state.kind === "loading") return { text: "Rubberduck", tone: "unknown" };
  if (state.kind === "unreachable")
    return { text: "The web server does not answer", tone: "error" };
  if (state.health.database !== "ok")
    return { text: "The database does not answer", tone: "error" };
  if (state.health.supervisor !== "ok")
    return { text: "No proxy is being served", tone: "limited" };
  if (state.health.failed_proxies)
    return { text: `${proxies(state.health.failed_proxies)} cannot run`, tone: "error" };
  return { text: "Rubberduck is running", tone: "ok" };
}

/** "1 proxy", "2 proxies". */
function proxies(count: number): string {
  return `${count.toString()} ${count === 1 ? "proxy" : "proxies"}`;
}

/** The parts of the installation, each in one word. An unreachable web server leaves the rest unknown. */
export function facts(state: HealthState): Fact[] {
  if (state.kind !== "known") {
    const value = state.kind === "loading" ? "" : "Unknown";
    const web: Fact =
      state.kind === "loading"
        ? { name: "Web", value, tone: "unknown" }
        : { name: "Web", value: "Not reachable", tone: "error" };
    const rest = ["Database", "Supervisor", "Running proxies"];
    return [web, ...rest.map((name): Fact => ({ name, value, tone: "unknown" }))];
  }
  const { database, supervisor, running_proxies } = state.health;
  return [
    { name: "Web", value: "Running", tone: "ok" },
    database === "ok"
      ? { name: "Database", value: "Reachable", tone: "ok" }
      : { name: "Database", value: "Not reachable", tone: "error" },
    supervisor === "ok"
      ? { name: "Supervisor", value: "Running", tone: "ok" }
      : { name: "Supervisor", value: "Not running", tone: "limited" },
    { name: "Running proxies", value: running_proxies?.toString() ?? "Unknown", tone: "unknown" },
  ];
}

/** 24 h, with seconds, in the browser's zone. */
export function clockTime(at: number): string {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(at);
}
