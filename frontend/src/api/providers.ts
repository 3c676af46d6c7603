import { useEffect, useState } from "react";

export interface Snippet {
  id: string;
  label: string;
  language: string;
  code: string;
}

/** A vendor's dialect, as `/api/v1/providers` describes it. `default_upstream` is null where every customer has their own. */
export interface Provider {
  id: string;
  label: string;
  example_model: string;
  needs_upstream: boolean;
  snippets: Snippet[];
}

/** Null while loading; an Error when the list could not be had. */
export function useProviders(): Provider[] | Error | null {
  const [state, setState] = useState<Provider[] | Error | null>(null);

  useEffect(() => {
    let isOver = false;
    const ask = async () => {
      try {
        const reply = await fetch("/api/v1/providers", { headers: { accept: "application/json" } });
        if (!reply.ok) throw new Error(`The server answered ${reply.status.toString()}.`);
        const found = (await reply.json()) as Provider[];
        if (!isOver) setState(found);
      } catch (error) {
        if (!isOver) setState(error instanceof Error ? error : new Error(String(error)));
      }
    };
    void ask();
    return () => {
      isOver = true;
    };
  }, []);

  return state;
}
