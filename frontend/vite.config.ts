import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/static/",
  plugins: [react(), tailwindcss()],
  // Nothing is inlined: the content security policy allows no data: URLs.
  build: { assetsInlineLimit: 0 },
  test: { environment: "jsdom", setupFiles: "./src/test-setup.ts", restoreMocks: true },
});
