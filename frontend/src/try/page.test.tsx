import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { captureDownloads, setNavigator } from "../test/browser";
import { makeModel, makePrediction, makeProblem, makeWindow } from "../test/fixtures";
import { FakeMicrophone } from "../test/microphone";
import { renderPage } from "../test/render";
import { type Routes, serveApi } from "../test/server";
import { FakeWaveSurfer } from "../test/wavesurfer";

vi.mock("wavesurfer.js", () => ({ default: FakeWaveSurfer }));
vi.mock("wavesurfer.js/dist/plugins/spectrogram.esm.js", () => ({ default: { create: () => ({}) } }));

beforeEach(() => {
  FakeWaveSurfer.latest = undefined;
});

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
    "POST /api/v1/predict": (request: Request) => ({
      body: new URL(request.url).searchParams.get("model_id") === "2" ? second : first,
    }),
    ...own,
  });
}

async function chooseFile(user: ReturnType<typeof userEvent.setup>, file = recording) {
  await user.upload(await screen.findByLabelText("Choose a file"), file);
}

const predicted = (model: string) =>
  screen.findByText((_, element) => element?.textContent === `Predicted by ${model}`);

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
  await user.selectOptions(screen.getByLabelText("Compare with"), "Human v2, v2");
  expect(await predicted("Human v2, v2")).toBeVisible();
  expect(screen.getByText("They differ in 1 of 2 windows.")).toBeVisible();
  expect(find("POST /api/v1/predict")).toHaveLength(2);
  await user.selectOptions(screen.getByLabelText("Compare with"), "No model");
  expect(screen.queryByText("They differ in 1 of 2 windows.")).toBeNull();
});

test("choosing another model predicts the same recording again", async () => {
  const user = userEvent.setup();
  const { last } = api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  await user.selectOptions(screen.getByLabelText("Model"), "Human v2, v2");
  expect(await predicted("Human v2, v2")).toBeVisible();
  expect(last("POST /api/v1/predict")?.search.get("model_id")).toBe("2");
});

test("a dropped recording is predicted", async () => {
  api();
  await renderPage("/try");
  await screen.findByText("No recording yet");
  fireEvent.drop(document.body, { dataTransfer: { files: [recording] } });
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
  const player = FakeWaveSurfer.latest;
  player?.emit("ready", 2);
  await user.click(screen.getByRole("button", { name: "Play" }));
  expect(screen.getByRole("button", { name: "Pause" })).toBeVisible();
  player?.emit("timeupdate", 1.4);
  expect(position).toHaveAttribute("aria-valuetext", "0:01.4");
  expect(screen.getByText("dog, 80.0%")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Pause" }));
  fireEvent.change(position, { target: { value: "0.2" } });
  expect(screen.getByText("0:00.2 / 0:02.0")).toBeVisible();
  expect(screen.getByText("dog, 90.0%")).toBeVisible();
});

test("a recording that the browser cannot draw keeps its scores", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/try");
  await chooseFile(user);
  await predicted("Starter, v1.0");
  FakeWaveSurfer.latest?.emit("error");
  expect(screen.getByText(/This browser cannot play or draw the file/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Play" })).toBeDisabled();
  expect(screen.getByRole("img", { name: "Window scores of Starter" })).toBeVisible();
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
  expect(FakeWaveSurfer.latest?.loaded?.size).toBe(44 + 2 * 2 * FakeMicrophone.sampleRate);
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
