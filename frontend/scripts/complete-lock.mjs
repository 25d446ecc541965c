// Adds to package-lock.json the binaries of other platforms that the npm registry in use does not offer.
// Without them `npm ci` fails: the lock is incomplete. npm fetches each one only on its own platform.
import { readFile, writeFile } from "node:fs/promises";

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

const target = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(await readFile(target, "utf8"));

function entry(name, version, dev) {
  const words = name.split(/[/-]/);
  const among = (known) => words.filter((word) => known.includes(word));
  const system = among(SYSTEMS);
  const processor = among(PROCESSORS);
  if (processor.length === 0) throw new Error(`${name} does not name a processor`);
  return {
    version,
    cpu: processor,
    ...(dev && { dev }),
    ...(words.includes("musl") && { libc: ["musl"] }),
    optional: true,
    ...(system.length > 0 && { os: system }),
  };
}

const added = [];
for (const [path, { optionalDependencies = {}, dev = false }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const place = `node_modules/${name}`;
    if (lock.packages[place] || lock.packages[`${path}/${place}`]) continue;
    lock.packages[place] = entry(name, version, dev);
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([one], [other]) => (one < other ? -1 : 1)));
await writeFile(target, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? "package-lock.json is complete" : `added ${added.join(", ")}`);
