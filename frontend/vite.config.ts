import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env.UNDERSTUDY_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "baseline-widely-available",
    // The server's package: what is built here is served at / and goes into the wheel.
    outDir: "../backend/understudy/page",
    emptyOutDir: true,
    manifest: "build.json",
    // Inlined assets would need `data:` in the content security policy.
    assetsInlineLimit: 0,
  },
  // The server answers its own pages only.
  server: { proxy: { "/api": { target: api, ws: true, changeOrigin: true, headers: { origin: api } } } },
});
