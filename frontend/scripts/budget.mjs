// Fails when the first load of the models page exceeds its budget of gzipped JavaScript.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 250;
const ENTRIES = ["index.html"];
const built = new URL("../../backend/understudy/page/", import.meta.url);
const manifest = JSON.parse(await readFile(new URL("build.json", built), "utf8"));

const files = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the build's manifest`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const next of chunk.imports ?? []) visit(next);
};
for (const entry of ENTRIES) visit(entry);

let total = 0;
for (const file of files) total += gzipSync(await readFile(new URL(file, built))).length / 1000;
console.log(`models page, first load: ${total.toFixed(1)} kB of JavaScript gzipped (budget ${BUDGET_KB} kB)`);
if (total > BUDGET_KB) process.exit(1);
