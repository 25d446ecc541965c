import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env.UNDERSTUDY_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  // Relative addresses: the server writes the path that it is mounted under into index.html.
  base: "./",
  build: {
    target: "baseline-widely-available",
    // The server serves this folder at /, and the wheel contains it.
    outDir: "../backend/understudy/page",
    emptyOutDir: true,
    manifest: "build.json",
    // Inlined assets would need `data:` in the content security policy.
    assetsInlineLimit: 0,
  },
  // The server refuses other origins, so the proxy sends the server's own.
  // The manual's chapters lie in docs/, beside this folder.
  server: {
    fs: { allow: [".."] },
    proxy: { "/api": { target: api, ws: true, changeOrigin: true, headers: { origin: api } } },
  },
});
