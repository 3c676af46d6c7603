import { describe, expect, it } from "vitest";

import type { Health, HealthState } from "../../api/health";
import { facts, headline } from "./words";

const healthy: Health = {
  status: "ok",
  version: "0.1.0",
  database: "ok",
  supervisor: "ok",
  running_proxies: 3,
  failed_proxies: 0,
};
const known = (changes: Partial<Health>): HealthState => ({
  kind: "known",
  at: 0,
  health: { ...healthy, ...changes },
});

describe("headline", () => {
  it("says that everything runs only when everything does", () => {
    expect(headline(known({}))).toEqual({ text: "Rubberduck is running", tone: "ok" });
  });

  it("names the missing supervisor and the absent database, the database first", () => {
    expect(headline(known({ supervisor: "missing" })).text).toBe("No proxy is being served");
    expect(headline(known({ supervisor: "missing", database: "error" })).text).toBe(
      "The database does not answer",
    );
  });

  it("counts proxies that cannot run", () => {
    expect(headline(known({ failed_proxies: 1 }))).toEqual({
      text: "1 proxy cannot run",
      tone: "error",
    });
    expect(headline(known({ failed_proxies: 2 })).text).toBe("2 proxies cannot run");
  });

  it("claims nothing before the first answer", () => {
    expect(headline({ kind: "loading" })).toEqual({ text: "Rubberduck", tone: "unknown" });
  });
});

describe("facts", () => {
  it("knows nothing about the rest when the web server is away", () => {
    const values = facts({ kind: "unreachable", at: null }).map(({ value }) => value);
    expect(values).toEqual(["Not reachable", "Unknown", "Unknown", "Unknown"]);
  });

  it("tells no proxies from an unknown number of them", () => {
    expect(facts(known({ running_proxies: 0 }))[3]?.value).toBe("0");
    expect(facts(known({ running_proxies: null }))[3]?.value).toBe("Unknown");
  });
});
