import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const CHECKOUT = resolve(import.meta.dirname, "../..");
const OWN_PYTHON = join(CHECKOUT, ".venv/bin/python");
const PYTHON = process.env.PYTHON ?? (existsSync(OWN_PYTHON) ? OWN_PYTHON : "python3");
const START_MS = 60_000;

/** Model files and their compiled models. Made once and shared by all servers. */
export interface ModelKit {
  models: string;
  compiled: string;
  /** The WAV file that Chromium plays as its microphone. */
  microphone: string;
}

export function makeKit(): { kit: ModelKit; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "understudy-kit-"));
  const kit = {
    models: join(folder, "models"),
    compiled: join(folder, "compiled"),
    microphone: join(folder, "microphone.wav"),
  };
  mkdirSync(kit.models);
  mkdirSync(kit.compiled);
  execFileSync(PYTHON, [join(import.meta.dirname, "make_models.py"), kit.models], { stdio: "inherit" });
  return { kit, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Registered {
  model_id: number;
  model_name: string;
}

/** A server with its own database and models folder. */
export class TestServer {
  readonly home = mkdtempSync(join(tmpdir(), "understudy-home-"));
  readonly models = join(this.home, "models");
  url = "";
  readonly #kit: ModelKit;
  readonly #settings: Record<string, string>;
  #process: ChildProcess | undefined;
  #setUp: Promise<{ ten: Registered; six: Registered }> | undefined;
  #log = "";

  constructor(kit: ModelKit, settings: Record<string, string> = {}) {
    this.#kit = kit;
    this.#settings = settings;
    mkdirSync(join(this.home, "var"));
    mkdirSync(this.models);
    symlinkSync(kit.compiled, join(this.home, "var/compiled"));
  }

  get #environment(): NodeJS.ProcessEnv {
    // One worker process is enough for one browser, and starts sooner.
    const own = { PYTHONPATH: join(CHECKOUT, "backend"), UNDERSTUDY_HOME: this.home, UNDERSTUDY_WORKERS: "1" };
    return { ...process.env, ...own, ...this.#settings };
  }

  async start(): Promise<void> {
    const port = this.url ? new URL(this.url).port : String(await findFreePort());
    this.url = `http://localhost:${port}`;
    const command = [
      "-m",
      "uvicorn",
      "--factory",
      "understudy.main:create_app",
      "--port",
      port,
      "--log-level",
      "warning",
    ];
    const started = spawn(PYTHON, command, { env: this.#environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = started;
    for (const stream of [started.stdout, started.stderr]) stream.on("data", (piece) => (this.#log += piece));
    for (const end = Date.now() + START_MS; ; ) {
      if (await isReady(`${this.url}/health/live`)) return;
      if (started.exitCode !== null || Date.now() > end) throw new Error(`The server did not start:\n${this.#log}`);
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  /** Kills the server. `start` starts it again at the same address. */
  async stop(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    // Open event streams would delay a graceful shutdown.
    running.kill("SIGKILL");
    await gone;
  }

  /** Stops the server's process in its tracks: connections stay open, and nothing answers. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Adds a person, as an admin does on the command line. The running server notices it within a second. */
  addPerson(name: string, role: string, password: string): void {
    const command = ["-m", "understudy.cli", "users", "add", name, "--role", role, "--password-stdin"];
    execFileSync(PYTHON, command, { env: this.#environment, input: password, stdio: ["pipe", "ignore", "inherit"] });
  }

  /** Copies a model file of the kit and its .spec.json into the models folder. */
  copyModel(file: string, name = file): void {
    for (const suffix of [".onnx", ".spec.json"]) {
      const source = join(this.#kit.models, file.replace(".onnx", suffix));
      if (existsSync(source)) cpSync(source, join(this.models, name.replace(".onnx", suffix)));
    }
  }

  /** Returns the bytes of a file of the kit. */
  readModel(file: string): Buffer<ArrayBuffer> {
    return readFileSync(join(this.#kit.models, file));
  }

  /** Copies and registers a model of the kit. The file's stem becomes its name. */
  async register(stem: string, facts: Record<string, unknown> = {}): Promise<Registered> {
    this.copyModel(`${stem}.onnx`);
    return this.#post("/api/v1/models", { model_name: stem, file_path: `models/${stem}.onnx`, ...facts });
  }

  async activate(model: Registered): Promise<void> {
    await this.#post(`/api/v1/models/${model.model_id}/activate`, undefined);
  }

  /** Registers `ten` and `six`, and activates `ten` last. Done once, where tests share the server. */
  setUpModels(): Promise<{ ten: Registered; six: Registered }> {
    this.#setUp ??= this.#registerBoth();
    return this.#setUp;
  }

  async #registerBoth(): Promise<{ ten: Registered; six: Registered }> {
    const ten = await this.register("ten", { version: "v1", model_type: "esc10", accuracy: 0.91 });
    const six = await this.register("six", { version: "v2", model_type: "custom", accuracy: 0.874 });
    await this.activate(six);
    await this.activate(ten);
    return { ten, six };
  }

  async #post<T>(path: string, body: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method: "POST",
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("No port to be had");
  return address.port;
}
