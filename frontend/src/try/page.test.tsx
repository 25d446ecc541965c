import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { FakeAudio, FakeWorker, stubAudio } from "../test/audio";
import { captureDownloads, setNavigator } from "../test/browser";
import { chooseOption } from "../test/choose";
import {
  makeLiveStatus,
  makeModel,
  makePrediction,
  makeProblem,
  makeReport,
  makeSpec,
  makeStatus,
  makeWindow,
} from "../test/fixtures";
import { FakeMicrophone } from "../test/microphone";
import { renderPage } from "../test/render";
import { type Routes, serveApi } from "../test/server";

beforeEach(stubAudio);

const windows = [makeWindow(0, { dog: 0.9, rain: 0.1 }), makeWindow(1, { dog: 0.8, rain: 0.2 })];
const first = makePrediction(windows);
const second = makePrediction([makeWindow(0, { dog: 0.9, rain: 0.1 }), makeWindow(1, { dog: 0.1, rain: 0.9 })], {
  label: "rain",
  model: { model_id: 2, model_name: "Human v2", version: "v2", digest: "cd", precision: "float32" },
});
const clip = { name: "dog.wav", title: "Dog", seconds: 2, url: "/api/v1/demo-clips/dog.wav" };
const recording = new File(["sound"], "street.wav", { type: "audio/wav" });

function api(own: Routes = {}) {
  return serveApi({
    "GET /api/v1/demo-clips": { clips: [clip] },
    "GET /api/v1/demo-clips/dog.wav": new Blob(["sound"], { type: "audio/wav" }),
    "GET /api/v1/models": {
      models: [makeModel({ is_active: true }), makeModel({ model_id: 2, model_name: "Human v2", version: "v2" })],
      active_model: null,
      next_cursor: null,
      total: 2,
    },
    "GET /api/v1/models/1": makeModel({ digest: "ab" }),
    "GET /api/v1/models/1/report": makeReport({ spec: { ...makeSpec(["dog", "rain"]), thresholds: { dog: 0.95 } } }),
    "GET /api/v1/models/2": makeModel({ model_id: 2, model_name: "Human v2", version: "v2", digest: "cd" }),
    "POST /api/v1/predict": (request: Request) => ({
      body: new URL(request.url).searchParams.get("model_id") === "2" ? second : first,
    }),
    ...own,
  });
}

async function chooseFile(user: ReturnType<typeof userEvent.setup>, file = recording) {
  await user.upload(await screen.findByLabelText("Choose recordings"), file);
}

const getOpened = () => (FakeWorker.latest?.messages[0] as { blob: Blob } | undefined)?.blob;

const predicted = (model: string) => screen.findByText((_, element) => element?.textContent === `Answered by ${model}`);

test("a demo clip is fetched and predicted by the live model", async () => {
  const user = userEvent.setup();
  const { last } = api();
  await renderPage("/try");
  expect(await screen.findByText("No recording yet")).toBeVisible();
  const button = await screen.findByRole("button", { name: /^Dog/ });
  await user.click(button);
  expect(await predicted("Starter, v1.0")).toBeVisible();
  expect(button).toHaveAttribute("aria-pressed", "true");
  const asked = last("POST /api/v1/predict");
  expect(asked?.search.has("model_id")).toBe(false);
  expect(asked?.body).toContain('name="audio_file"');
  expect(screen.getByRole("img", { name: "Window scores of Starter" })).toBeVisible();
});

test("a demo clip that cannot be fetched says why", async () => {
  const user = userEvent.setup();
  api({ "GET /api/v1/demo-clips/dog.wav": () => ({ status: 404, body: makeProblem({ title: "No such clip" }) }) });
  await renderPage("/try");
  await user.click(await screen.findByRole("button", { name: /^Dog/ }));
  expect(await screen.findByRole("alert")).toHaveTextContent("No such clip");
});

test("a server without demo clips says so", async () => {
  api({ "GET /api/v1/demo-clips": { clips: [] } });
  await renderPage("/try");
  expect(await screen.findByText("This server has no demo clips.")).toBeVisible();
});

test("the address chooses the model that predicts", async () => {
  const user = userEvent.setup();
  const { last } = api();
  await renderPage("/try?model=2");
  await chooseFile(user);
  expect(await predicted("Human v2, v2")).toBeVisible();
  expect(screen.getByLabelText("Model")).toHaveDisplayValue("Human v2, v2");
  expect(last("POST /api/v1/predict")?.search.get("model_id")).toBe("2");
});

test("a second model is compared window by window, and can be taken away again", async () => {
  const user = userEvent.setup();
  const { find } = api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  await chooseOption(user, "Compare with", "Human v2, v2");
  expect(await predicted("Human v2, v2")).toBeVisible();
  expect(screen.getByText(/They differ in 1 of 2 windows\./)).toBeVisible();
  expect(find("POST /api/v1/predict")).toHaveLength(2);
  await chooseOption(user, "Compare with", "No model");
  expect(screen.queryByText(/They differ in/)).toBeNull();
});

test("choosing another model predicts the same recording again", async () => {
  const user = userEvent.setup();
  const { last } = api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  await chooseOption(user, "Model", "Human v2, v2");
  expect(await predicted("Human v2, v2")).toBeVisible();
  expect(last("POST /api/v1/predict")?.search.get("model_id")).toBe("2");
});

test("a dropped recording is predicted", async () => {
  api();
  await renderPage("/try");
  await screen.findByText("No recording yet");
  fireEvent.drop(document.body, { dataTransfer: { items: [], files: [recording] } });
  expect(await screen.findByRole("heading", { name: "street.wav" })).toBeVisible();
  expect(await predicted("Starter, v1.0")).toBeVisible();
});

test("a refused recording says why, and is sent again on request", async () => {
  const user = userEvent.setup();
  let broken = true;
  api({
    "POST /api/v1/predict": () =>
      broken ? { status: 415, body: makeProblem({ title: "The file is not audio" }) } : { body: first },
  });
  await renderPage("/try");
  await chooseFile(user);
  expect(await screen.findByRole("alert")).toHaveTextContent("The file is not audio");
  broken = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await predicted("Starter, v1.0")).toBeVisible();
});

test("the prediction shows warnings, events and, on request, every label", async () => {
  const user = userEvent.setup();
  const labels = ["a", "b", "c", "d", "e", "f", "g"];
  api({
    "POST /api/v1/predict": makePrediction(windows, {
      scores: Object.fromEntries(labels.map((label, index) => [label, 0.7 - index / 10])),
      warnings: ["The clip is silent."],
      events: [{ label: "dog", start: 0, end: 1.5, peak: 0.9 }],
    }),
  });
  await renderPage("/try");
  await chooseFile(user);
  expect(await screen.findByText("The clip is silent.")).toBeVisible();
  expect(screen.getByText("0:00.0 to 0:01.5, peak 90.0%")).toBeVisible();
  expect(screen.getByText("pcm_s16le, 16,000 Hz, mono")).toBeVisible();
  expect(screen.queryByText("g")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Show all 7 labels" }));
  expect(screen.getByText("g")).toBeVisible();
});

const verdict = (model = "Starter") => screen.findByRole("status", { name: `The verdict of ${model}` });

test("the verdict leads: what reached its threshold, when and how surely", async () => {
  const user = userEvent.setup();
  const events = [
    { label: "rain", start: 0, end: 1, peak: 0.7 },
    { label: "dog", start: 1.4, end: 2, peak: 0.95 },
  ];
  api({ "POST /api/v1/predict": makePrediction(windows, { events }) });
  await renderPage("/try");
  await chooseFile(user);
  await waitFor(async () =>
    expect(await verdict()).toHaveTextContent(/^dog at 0:01\.4, 95\.0%rain at 0:00\.0, 70\.0%$/),
  );
});

test("a clip in which nothing reached its threshold names no label in its headline", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  await chooseFile(user);
  await waitFor(async () => expect(await verdict()).toHaveTextContent(/^Nothing reached its threshold/));
  expect(await verdict()).toHaveTextContent("Nearest was dog at 0:00.0: 90.0%, and it counts from 95.0%.");
});

test("an answer of an earlier live model says so, and offers to run again", async () => {
  const user = userEvent.setup();
  const head = { model_id: 2, model_name: "Head", version: null, digest: "cd", precision: "float32" as const };
  const status = makeStatus({
    live: { generation: 2, model: head, notes: [], tensors_only: false, since: "2026-11-01T10:00:00Z" },
  });
  const { find } = api({ "GET /api/v1/status": status });
  await renderPage("/try");
  await chooseFile(user);
  expect(await screen.findByText("The model that answered is no longer live. Head is live now.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Run again with Head" }));
  await waitFor(() => expect(find("POST /api/v1/predict")).toHaveLength(2));
});

test("an answer of a chosen model stays current when another one goes live", async () => {
  const user = userEvent.setup();
  const status = makeStatus({ live: makeLiveStatus({ generation: 9 }) });
  api({ "GET /api/v1/status": status });
  await renderPage("/try?model=1");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  expect(screen.queryByText(/no longer live/)).toBeNull();
});

test("a model of the address that the list does not show is named, and never reads as the live one", async () => {
  const { find } = api({
    "GET /api/v1/models/115": makeModel({ model_id: 115, model_name: "Oldest", version: null }),
  });
  await renderPage("/try?model=115");
  await waitFor(() => expect(screen.getByRole("combobox", { name: "Model" })).toHaveValue("Oldest"));
  expect(find("GET /api/v1/models").at(-1)?.search.get("sort")).toBe("-created_at");
});

test.each([
  [404, "model_not_found", "Model 115, which is not registered"],
  [503, "database_unavailable", "Model 115"],
])("a model of the address that cannot be fetched (%s) is named", async (status, code, name) => {
  const { find } = api({ "GET /api/v1/models/115": () => ({ status, body: makeProblem({ status, code }) }) });
  await renderPage("/try?model=115");
  await waitFor(() => expect(find("GET /api/v1/models/115")).not.toHaveLength(0));
  await waitFor(() => expect(screen.getByRole("combobox", { name: "Model" })).toHaveValue(name));
});

test("the picker searches on the server and is driven by the keyboard", async () => {
  const user = userEvent.setup();
  const { find } = api();
  const { getAddress } = await renderPage("/try");
  const field = await screen.findByRole("combobox", { name: "Compare with" });
  await user.click(field);
  await user.type(field, "human");
  await waitFor(() => expect(find("GET /api/v1/models").at(-1)?.search.get("q")).toBe("human"));
  await user.keyboard("{ArrowDown}{Enter}");
  expect(field).toHaveValue("Human v2, v2");
  expect(field).toHaveAttribute("aria-expanded", "false");
  expect(getAddress()).toBe("/try?compare=2");
  await user.keyboard("{ArrowDown}{Escape}");
  expect(field).toHaveValue("Human v2, v2");
});

test("a demo clip is in the address, and the address shows it again", async () => {
  const user = userEvent.setup();
  api();
  const { getAddress, unmount } = await renderPage("/try");
  await user.click(await screen.findByRole("button", { name: /^Dog/ }));
  await predicted("Starter, v1.0");
  expect(getAddress()).toBe("/try?clip=dog.wav");
  unmount();
  await renderPage("/try?clip=dog.wav&t=1.5");
  await predicted("Starter, v1.0");
  FakeAudio.latest?.load(2);
  expect(screen.getByRole("slider", { name: "Position in the clip" })).toHaveAttribute("aria-valuetext", "0:01.5");
});

test("a demo clip of the address that does not exist is named", async () => {
  api();
  await renderPage("/try?clip=none.wav");
  expect(await screen.findByRole("alert")).toHaveTextContent("This server has no demo clip none.wav.");
});

test("the part in view is in the address", async () => {
  const user = userEvent.setup();
  api();
  const { getAddress } = await renderPage("/try?clip=dog.wav");
  await predicted("Starter, v1.0");
  FakeAudio.latest?.load(2);
  await user.click(screen.getByRole("button", { name: "Zoom in" }));
  await waitFor(() => expect(getAddress()).toBe("/try?clip=dog.wav&from=0&to=1"));
  await user.click(screen.getByRole("button", { name: "Later" }));
  await waitFor(() => expect(getAddress()).toBe("/try?clip=dog.wav&from=0.5&to=1.5"));
  await user.click(screen.getByRole("button", { name: "Zoom out" }));
  await waitFor(() => expect(getAddress()).toBe("/try?clip=dog.wav"));
});

test("every window is readable as a table", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  await user.click(screen.getByText("Every window as a table"));
  const table = screen.getByRole("table", { name: "Window scores of Starter" });
  expect(
    within(table)
      .getAllByRole("row")
      .map((row) => row.textContent),
  ).toEqual(["FromToTop labelScore", "0:00.000:01.00dog90.0%", "0:01.000:02.00dog80.0%"]);
});

test("the predictions are saved as JSON and CSV under the recording's name", async () => {
  const user = userEvent.setup();
  const files = captureDownloads();
  api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  await user.click(screen.getByRole("button", { name: "Save as JSON" }));
  await user.click(screen.getByRole("button", { name: "Save as CSV" }));
  expect(JSON.parse((await files.get("street.json")?.text()) ?? "")).toEqual([first]);
  const [head, ...rows] = ((await files.get("street.csv")?.text()) ?? "").split("\r\n");
  expect(head).toBe("model,version,digest,start,end,label,score,dog,rain");
  expect(rows).toHaveLength(2);
});

test("the recording plays, pauses and follows the position", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  const position = screen.getByRole("slider", { name: "Position in the clip" });
  expect(screen.getByRole("button", { name: "Play" })).toBeDisabled();
  const player = FakeAudio.latest;
  player?.load(2);
  await user.click(screen.getByRole("button", { name: "Play" }));
  expect(screen.getByRole("button", { name: "Pause" })).toBeVisible();
  player?.advance(1.4);
  expect(position).toHaveAttribute("aria-valuetext", "0:01.4");
  expect(screen.getByText("dog, 80.0%")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Pause" }));
  fireEvent.change(position, { target: { value: "0.2" } });
  expect(screen.getByText("0:00.2 / 0:02.0")).toBeVisible();
  expect(screen.getByText("dog, 90.0%")).toBeVisible();
});

test("a request can be cancelled, and run again", async () => {
  const user = userEvent.setup();
  const answers: (() => void)[] = [];
  const { find } = api({
    "POST /api/v1/predict": () => new Promise((resolve) => answers.push(() => resolve({ body: first }))),
  });
  await renderPage("/try");
  await chooseFile(user);
  expect(await screen.findByText("The server analyzes the recording")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(await screen.findByText("Cancelled. Nothing is known of this recording.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Run again" }));
  await waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.();
  expect(await predicted("Starter, v1.0")).toBeVisible();
  expect(find("POST /api/v1/predict")).toHaveLength(2);
});

test("a long answer is parsed in a worker and arrives in parts", async () => {
  const user = userEvent.setup();
  const warnings = ["x".repeat(600_000)];
  api({ "POST /api/v1/predict": makePrediction(windows, { warnings }) });
  await renderPage("/try");
  await chooseFile(user);
  await waitFor(() => expect(FakeWorker.latest?.messages[0]).toBeInstanceOf(Blob));
  const worker = FakeWorker.latest;
  const { windows: all, ...facts } = first;
  const ranked = new Map([
    ["rain", 0.9],
    ["dog", 0.1],
  ]);
  worker?.answer({ type: "facts", facts, peaks: ranked });
  for (const window of all) worker?.answer({ type: "windows", windows: [window] });
  expect(screen.queryByText(/Answered by/)).toBeNull();
  worker?.answer({ type: "end" });
  expect(await predicted("Starter, v1.0")).toBeVisible();
  const rows = screen.getAllByTitle(/^(dog|rain)$/).map((row) => row.textContent);
  // The rows of the strip stand in the order that the worker found, before the scores of the whole clip.
  expect(rows.slice(0, 2)).toEqual(["rain", "dog"]);
});

test("a recording that the browser cannot draw keeps its scores", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  FakeAudio.latest?.fail();
  expect(screen.getByText(/This browser cannot play the file/)).toBeVisible();
  FakeWorker.latest?.fail("out of memory");
  expect(screen.getByText(/This browser cannot play or draw the file/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Play" })).toBeDisabled();
  expect(screen.getByRole("img", { name: "Window scores of Starter" })).toBeVisible();
});

test("of what neither the server nor the browser can read nothing but the refusal is shown", async () => {
  const user = userEvent.setup();
  api({ "POST /api/v1/predict": () => ({ status: 415, body: makeProblem({ title: "The file is not audio" }) }) });
  await renderPage("/try");
  await chooseFile(user);
  expect(await screen.findByRole("alert")).toHaveTextContent("The file is not audio");
  FakeAudio.latest?.fail();
  FakeWorker.latest?.fail("no recording");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Play" })).not.toBeInTheDocument());
  expect(screen.queryByText(/The scores below/)).not.toBeInTheDocument();
});

test("the microphone is recorded into a WAV file, which is predicted", async () => {
  const user = userEvent.setup();
  const microphone = new FakeMicrophone({ noiseSuppression: true });
  api();
  await renderPage("/try");
  await user.click(await screen.findByRole("button", { name: "Record" }));
  expect(await screen.findByRole("button", { name: "Stop, 0:00" })).toBeVisible();
  expect(screen.getByText(/The browser still applies noise suppression/)).toBeVisible();
  microphone.capture(2);
  await user.click(screen.getByRole("button", { name: "Stop, 0:02" }));
  expect(await screen.findByRole("heading", { name: /^recording .*\.wav$/ })).toBeVisible();
  expect(await predicted("Starter, v1.0")).toBeVisible();
  expect(microphone.open).toBe(0);
  expect(getOpened()?.size).toBe(44 + 2 * 2 * FakeMicrophone.sampleRate);
});

test.each([
  ["NotAllowedError", "The microphone is not allowed"],
  ["NotFoundError", "No microphone found"],
  ["NotReadableError", "The microphone did not start"],
])("a microphone that fails with %s says what to do", async (name, title) => {
  const user = userEvent.setup();
  new FakeMicrophone().refuse(name);
  api();
  await renderPage("/try");
  await user.click(await screen.findByRole("button", { name: "Record" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(title);
  expect(screen.getByRole("button", { name: "Record" })).toBeEnabled();
});

test("an address without https gives no microphone, and says so", async () => {
  const user = userEvent.setup();
  setNavigator("mediaDevices", undefined);
  api();
  await renderPage("/try");
  await user.click(await screen.findByRole("button", { name: "Record" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The microphone needs a secure address");
});

test("a microphone that is allowed after the page was left is closed at once", async () => {
  const user = userEvent.setup();
  const microphone = new FakeMicrophone();
  let allow = () => {};
  microphone.permission = new Promise((resolve) => {
    allow = resolve;
  });
  api();
  const { unmount } = await renderPage("/try");
  await user.click(await screen.findByRole("button", { name: "Record" }));
  unmount();
  const opened = vi.fn();
  microphone.onOpen = opened;
  allow();
  await waitFor(() => expect(opened).toHaveBeenCalled());
  await waitFor(() => expect(microphone.open).toBe(0));
});

const clips = ["dog/a.wav", "rain/b.wav"].map((path) => {
  const file = new File(["sound"], path.slice(path.lastIndexOf("/") + 1), { lastModified: 1 });
  Object.defineProperty(file, "webkitRelativePath", { value: path });
  return file;
});

const toLines = (...lines: object[]) => new Blob([lines.map((line) => JSON.stringify(line)).join("\n")]);

test("a folder is predicted by both models, and the table leads with what they answer differently", async () => {
  const user = userEvent.setup();
  const files = captureDownloads();
  const dog = [{ label: "dog", start: 0, end: 1, peak: 0.9 }];
  const { find } = api({
    "GET /api/v1/models/2/report": makeReport({ spec: { ...makeSpec(["dog", "rain"]), thresholds: { dog: 0.5 } } }),
    "POST /api/v1/predict/batch": (request: Request) => {
      const of = new URL(request.url).searchParams.get("model_id") === "2" ? second : first;
      const other = { ...of, events: of === first ? dog : [] };
      const lines = [
        { index: 1, file: "b.wav", generation: 1, prediction: other },
        { index: 0, file: "a.wav", generation: 1, prediction: { ...of, events: dog } },
      ];
      return { body: toLines(...lines) };
    },
  });
  await renderPage("/try?compare=2");
  await user.upload(await screen.findByLabelText("Choose recordings"), clips);
  expect(await screen.findByText("They agree on 1 of 2 recordings")).toBeVisible();
  expect(screen.getByText(/2 of 2 recordings predicted\./)).toBeVisible();
  const rows = within(screen.getByRole("table", { name: "Each recording's verdict" })).getAllByRole("row");
  expect(rows.map((row) => row.textContent)).toEqual([
    "Recording1. Starter2. Human v2Same",
    "rain/b.wavdog at 0:00.0, 90.0%nothingno",
    "dog/a.wavdog at 0:00.0, 90.0%dog at 0:00.0, 90.0%yes",
  ]);
  expect(find("POST /api/v1/predict/batch")).toHaveLength(2);
  await user.click(screen.getByRole("button", { name: "Save as CSV" }));
  const [, row] = ((await files.get("agreement.csv")?.text()) ?? "").split("\r\n");
  expect(row).toBe("dog/a.wav,dog,0,0.9,true,,dog,0,0.9,true,");
});

test("a folder of which nothing is answered yet names no agreement", async () => {
  const user = userEvent.setup();
  api({ "POST /api/v1/predict/batch": () => new Promise<never>(() => undefined) });
  await renderPage("/try?compare=2");
  await user.upload(await screen.findByLabelText("Choose recordings"), clips);
  expect(await screen.findByText("Comparing the models")).toBeVisible();
  expect(screen.getByRole("columnheader", { name: "2. Second model" })).toBeVisible();
  expect(screen.queryByText(/They agree/)).not.toBeInTheDocument();
});

test("a folder that the server answers only in part says why", async () => {
  const user = userEvent.setup();
  const line = { index: 0, file: "a.wav", generation: 1, prediction: first };
  api({ "POST /api/v1/predict/batch": () => ({ body: toLines(line) }) });
  await renderPage("/try");
  await user.upload(await screen.findByLabelText("Choose recordings"), clips);
  expect(await screen.findByRole("alert")).toHaveTextContent("The server does not answer");
  expect(screen.getByText(/1 of 2 recordings predicted/)).toBeVisible();
});

test("a folder that two live models answered is not one model's result", async () => {
  const user = userEvent.setup();
  const lines = [1, 2].map((generation, index) => ({ index, file: "a.wav", generation, prediction: first }));
  api({ "POST /api/v1/predict/batch": () => ({ body: toLines(...lines) }) });
  await renderPage("/try");
  await user.upload(await screen.findByLabelText("Choose recordings"), clips);
  expect(await screen.findByText(/answers come from several models/)).toBeVisible();
});

const long = new File([new Uint8Array(200_000)], "night.mp3", { type: "audio/mpeg" });

/** Chooses a recording that looks long, and returns the worker that sends it. */
async function analyzeLong(user: ReturnType<typeof userEvent.setup>): Promise<FakeWorker> {
  await chooseFile(user, long);
  await waitFor(() => expect(FakeWorker.find("address")).toBeDefined());
  const worker = FakeWorker.find("address") as FakeWorker;
  worker.answer({ type: "sending", share: 1 });
  worker.answer({ type: "analyzing" });
  worker.answer({ type: "started", model: first.model });
  return worker;
}

test("the windows of a long recording are shown as they come, and the verdict with the answer", async () => {
  const user = userEvent.setup();
  const { find } = api();
  await renderPage("/try?model=1");
  const worker = await analyzeLong(user);
  expect(worker.messages[0]).toMatchObject({
    address: `${location.origin}/api/v1/predict?model_id=1`,
    name: long.name,
  });
  expect(await screen.findByText("It answers when the whole recording is done.")).toBeVisible();
  worker.answer({ type: "scored", windows: [windows[0]] });
  worker.answer({ type: "scored", windows: [windows[1]] });
  expect(await screen.findByText(/^Scored up to 0:02.0/)).toBeVisible();
  expect(screen.getByRole("img", { name: "Window scores of Starter so far" })).toBeVisible();
  expect(screen.queryByText(/Answered by/)).toBeNull();
  expect(screen.queryByRole("button", { name: "Save as CSV" })).toBeNull();
  const { windows: all, ...facts } = first;
  worker.answer({ type: "facts", facts, peaks: new Map([["dog", 0.9]]) });
  worker.answer({ type: "windows", windows: all });
  worker.answer({ type: "end" });
  expect(await predicted("Starter, v1.0")).toBeVisible();
  expect(screen.getByRole("img", { name: "Window scores of Starter" })).toBeVisible();
  expect(screen.queryByText(/so far|Preliminary/)).toBeNull();
  expect(find("POST /api/v1/predict")).toHaveLength(0);
});

test.each([
  ["an answer that is cut off", { type: "cut" }, "The server does not answer"],
  ["a problem behind windows", { type: "problem", problem: makeProblem({ title: "Cut off" }) }, "Cut off"],
  ["a refusal", { type: "refused", status: 503, body: JSON.stringify(makeProblem({ title: "Too busy" })) }, "Too busy"],
  ["a refusal of a proxy", { type: "refused", status: 413, body: "<html>" }, "An unexpected answer"],
])("%s takes the windows away and says why", async (_, message, title) => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  const worker = await analyzeLong(user);
  worker.answer({ type: "scored", windows });
  expect(await screen.findByRole("img", { name: /so far/ })).toBeVisible();
  worker.answer(message);
  expect(await screen.findByRole("alert")).toHaveTextContent(title);
  expect(screen.queryByRole("img", { name: /so far/ })).toBeNull();
});

test("a cancelled analysis keeps none of its windows", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  const worker = await analyzeLong(user);
  worker.answer({ type: "scored", windows });
  expect(await screen.findByRole("img", { name: /so far/ })).toBeVisible();
  await user.click(await screen.findByRole("button", { name: "Cancel" }));
  expect(await screen.findByText("Cancelled. Nothing is known of this recording.")).toBeVisible();
  expect(screen.queryByRole("img", { name: /so far/ })).toBeNull();
  expect(worker.terminated).toBe(true);
});
