import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { WelcomePage } from "./WelcomePage";

const providers = [
  {
    id: "azure_openai",
    label: "Azure OpenAI",
    example_model: "gpt",
    needs_upstream: true,
    snippets: [
      { id: "azure-python", label: "Python", language: "python", code: "AzureOpenAI()\n" },
    ],
  },
  {
    id: "openai",
    label: "OpenAI",
    example_model: "gpt",
    needs_upstream: false,
    snippets: [
      { id: "openai-python", label: "Python", language: "python", code: "OpenAI()\n" },
      { id: "openai-curl", label: "curl", language: "shell", code: "curl http://127.0.0.1:8001\n" },
    ],
  },
];
const healthy = {
  status: "ok",
  version: "0.1.0",
  database: "ok",
  supervisor: "ok",
  running_proxies: 2,
  failed_proxies: 0,
};

/** What the server answers, by path; an Error is a connection that fails. */
function serve(answers: Record<string, unknown>) {
  vi.stubGlobal("fetch", (path: string) => {
    const answer = answers[path];
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(new Response(JSON.stringify(answer), { status: answer ? 200 : 500 }));
  });
}

beforeEach(() => {
  document.documentElement.classList.remove("dark");
  localStorage.clear();
  serve({ "/healthz": healthy, "/api/v1/providers": providers });
});

describe("the welcome page", () => {
  it("shows the health of a running installation", async () => {
    render(<WelcomePage />);
    expect(await screen.findByRole("heading", { name: "Rubberduck is running" })).toBeVisible();
    expect(within(screen.getByRole("region", { name: "Health" })).getByText("2")).toBeVisible();
  });

  it("names the command that starts a missing supervisor", async () => {
    serve({ "/healthz": { ...healthy, supervisor: "missing" }, "/api/v1/providers": providers });
    render(<WelcomePage />);
    expect(await screen.findByText(/manage\.py runproxies/)).toBeVisible();
  });

  it("names the command that tells why a proxy cannot run", async () => {
    serve({ "/healthz": { ...healthy, failed_proxies: 1 }, "/api/v1/providers": providers });
    render(<WelcomePage />);
    expect(await screen.findByRole("heading", { name: "1 proxy cannot run" })).toBeVisible();
    expect(screen.getByText(/manage\.py proxy list/)).toBeVisible();
  });

  it("says so when the web server is away", async () => {
    serve({ "/healthz": new Error("refused"), "/api/v1/providers": providers });
    render(<WelcomePage />);
    expect(
      await screen.findByRole("heading", { name: "The web server does not answer" }),
    ).toBeVisible();
  });

  it("fits the command and the examples to the chosen provider", async () => {
    render(<WelcomePage />);
    await userEvent.click(await screen.findByRole("radio", { name: "Azure OpenAI" }));
    expect(screen.getByText(/--provider azure_openai --upstream emulated --start/)).toBeVisible();
    expect(screen.getByText(/Any key will do/)).toBeVisible();
    await userEvent.click(screen.getByRole("radio", { name: "Forwards to the provider" }));
    expect(screen.getByText(/--provider azure_openai --upstream https:/)).toBeVisible();
    expect(screen.getByText(/Your key passes through/)).toBeVisible();
    expect(screen.getByText("AzureOpenAI()")).toBeVisible();
  });

  it("still shows how to make a proxy when the providers cannot be loaded", async () => {
    serve({ "/healthz": healthy });
    render(<WelcomePage />);
    expect(await screen.findByText(/The server answered 500/)).toBeVisible();
    expect(screen.getByText(/proxy create my-openai --provider openai --upstream/)).toBeVisible();
  });

  it("copies exactly what is shown", async () => {
    const user = userEvent.setup();
    render(<WelcomePage />);
    await user.click(await screen.findByRole("radio", { name: "curl" }));
    await user.click(screen.getByRole("button", { name: "Copy the curl example" }));
    expect(await navigator.clipboard.readText()).toBe("curl http://127.0.0.1:8001");
    expect(screen.getByText("Copied")).toBeVisible();
  });

  it("remembers the theme", async () => {
    render(<WelcomePage />);
    await userEvent.click(screen.getByRole("button", { name: "Use the dark theme" }));
    expect(document.documentElement).toHaveClass("dark");
    expect(localStorage.getItem("theme")).toBe("dark");
  });
});
