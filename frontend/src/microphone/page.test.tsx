import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { StreamMessage } from "../api/types";
import { captureDownloads } from "../test/browser";
import { chooseOption } from "../test/choose";
import { makeMetrics, makeModel, makeProblem, makeStatus } from "../test/fixtures";
import { FakeMicrophone } from "../test/microphone";
import { renderPage } from "../test/render";
import { serveApi } from "../test/server";
import { type FakeSocket, serveStreams } from "../test/stream";

const model = { model_id: 1, model_name: "Starter", version: null, digest: "ab", precision: "float32" as const };
const spec = { window_seconds: 1, hop_seconds: 0.5, labels: ["dog", "rain"], thresholds: { dog: 0.6 } };
const ready: StreamMessage = { type: "ready", model, generation: 1, spec, findings: [] };
const window = (start: number, dog: number): StreamMessage => ({
  type: "window",
  start,
  end: start + 1,
  label: dog >= 0.5 ? "dog" : "rain",
  score: Math.max(dog, 1 - dog),
  scores: { dog, rain: 1 - dog },
  findings: [],
  model,
  generation: 1,
});

async function openPage(microphone = new FakeMicrophone()) {
  const user = userEvent.setup();
  const { last } = serveApi({
    "PATCH /api/v1/models/1": makeModel(),
    "GET /api/v1/status": makeStatus(),
    "GET /api/v1/metrics/summary": makeMetrics(),
    "GET /api/v1/history": { entries: [], next_cursor: null },
    "GET /api/v1/models": {
      models: [makeModel({ model_id: 2, model_name: "Human v2", version: "v2" })],
      active_model: null,
      next_cursor: null,
      total: 1,
    },
  });
  const sockets = serveStreams();
  const page = await renderPage("/live");
  await screen.findByRole("button", { name: "Start listening" });
  return { user, microphone, sockets, last, ...page };
}

async function start(microphone?: FakeMicrophone) {
  const page = await openPage(microphone);
  await page.user.click(screen.getByRole("button", { name: "Start listening" }));
  await waitFor(() => expect(page.sockets).toHaveLength(1));
  const socket = page.sockets[0] as FakeSocket;
  socket.accept();
  socket.answer(ready);
  return { ...page, socket };
}

const status = () =>
  within(screen.getByRole("main")).getByText(/^(Not listening|Connecting|Listening|Connection lost)/, {
    selector: "[role=status]",
  });
const TIME = /\d+:\d\d:\d\d(\s[AP]M)?/.source;
const row = (pattern: string) => screen.getByRole("row", { name: new RegExp(pattern.replaceAll("TIME", TIME)) });
const findDeafness = () => screen.findByRole("region", { name: "Not hearing" });

test("starting opens a stream of the live model and sends the sound", async () => {
  const { socket, microphone } = await start();
  expect(socket.url).toMatch(/^ws.*\/api\/v1\/stream$/);
  expect(socket.messages).toEqual([{ sample_rate: 16_000, encoding: "pcm16", channels: 1, heartbeat_seconds: 1 }]);
  expect(status()).toHaveTextContent("Listening. Answered by Starter");
  microphone.capture(0.5);
  expect((socket.sent.at(-1) as ArrayBuffer).byteLength).toBe(16_000);
  expect(screen.getByText(/The sound is used unchanged/)).toBeVisible();
});

test("stopping ends the stream and closes the microphone, and the picture and the list stay", async () => {
  const { user, socket, microphone } = await start();
  expect(microphone.open).toBe(1);
  socket.answer(window(0, 0.7));
  await user.click(screen.getByRole("button", { name: "Stop" }));
  expect(socket.messages.at(-1)).toEqual({ type: "end" });
  expect(microphone.open).toBe(0);
  expect(status()).toHaveTextContent("Not listening");
  expect(screen.getByRole("img", { name: /Window scores/ })).toBeVisible();
  expect(row("TIME dog")).toBeVisible();
  expect(screen.queryByText("70.0%", { selector: "li span" })).toBeNull();
});

test("closing the tab closes the microphone", async () => {
  const { microphone, unmount } = await start();
  unmount();
  expect(microphone.open).toBe(0);
});

test("a microphone that is allowed after stopping does not start a session", async () => {
  const microphone = new FakeMicrophone();
  let allow = () => {};
  microphone.permission = new Promise((resolve) => {
    allow = resolve;
  });
  const opened = vi.fn();
  microphone.onOpen = opened;
  const { user, sockets } = await openPage(microphone);
  await user.click(screen.getByRole("button", { name: "Start listening" }));
  await user.click(screen.getByRole("button", { name: "Stop" }));
  allow();
  await waitFor(() => expect(opened).toHaveBeenCalled());
  await waitFor(() => expect(microphone.open).toBe(0));
  expect(sockets).toHaveLength(0);
  expect(status()).toHaveTextContent("Not listening");
});

test("scores are shown as they come, and a crossed threshold is listed", async () => {
  const { user, socket } = await start();
  socket.answer(window(0, 0.2));
  expect(await screen.findByText("20.0%")).toBeVisible();
  socket.answer(window(0.5, 0.7));
  expect(row("^TIME dog 1.0 s 70.0% Starter Acknowledge$")).toBeVisible();
  socket.answer(window(1, 0.8));
  expect(row("^TIME dog 1.5 s 80.0% Starter Acknowledge$")).toBeVisible();
  expect(screen.getByText(/^dog reached its threshold at/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Acknowledge all" }));
  expect(row("^TIME dog 1.5 s 80.0% Starter Seen$")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Clear" }));
  expect(screen.getByText("No label has reached its threshold yet.")).toBeVisible();
});

test("a threshold set by keyboard decides the next crossing", async () => {
  const { user, socket } = await start();
  const threshold = screen.getByRole("slider", { name: "Threshold of dog" });
  expect(threshold).toHaveAttribute("aria-valuetext", "counts from 60.0%");
  threshold.focus();
  await user.keyboard("{Home}{ArrowRight}{ArrowRight}");
  expect(threshold).toHaveAttribute("aria-valuetext", "counts from 2.0%");
  socket.answer(window(0, 0.01));
  socket.answer(window(0.5, 0.03));
  expect(row("^TIME dog 1.0 s 3.0% Starter")).toBeVisible();
});

test("a switch of the live model is listed, and its labels replace the old ones", async () => {
  const { socket } = await start();
  socket.answer({
    type: "swap",
    at: 3,
    model: { ...model, model_id: 2, model_name: "Human v2" },
    generation: 2,
    spec: { ...spec, labels: ["siren"], thresholds: {} },
    findings: [],
  });
  expect(status()).toHaveTextContent("Listening. Answered by Human v2");
  const swaps = screen.getByRole("region", { name: "Model changes" });
  expect(within(swaps).getByText(/^Human v2 from \d+:\d\d:\d\d/)).toBeVisible();
  expect(screen.getByRole("slider", { name: "Threshold of siren" })).toBeVisible();
  expect(screen.queryByRole("slider", { name: "Threshold of dog" })).toBeNull();
});

test("an error of the stream is shown with its remedy", async () => {
  const { socket } = await start();
  socket.answer({ type: "error", problem: makeProblem({ title: "The server is busy", remedy: "Wait a minute." }) });
  expect(screen.getByRole("alert")).toHaveTextContent("Wait a minute.");
});

test("without an answer the page says so, empties the meters, and marks what was not heard", async () => {
  const { socket, sockets, microphone } = await start();
  socket.answer(window(0, 0.2));
  expect(await screen.findByText("20.0%")).toBeVisible();
  microphone.capture(10);
  expect(await findDeafness()).toHaveTextContent(/No answer for 9 s.*The sound since .* is not scored/);
  expect(screen.queryByText("20.0%")).toBeNull();
  expect(screen.getByText("No current score")).toBeVisible();
  expect(within(screen.getByRole("banner")).getByRole("link", { name: /No answer for 9 s/ })).toBeVisible();
  socket.drop();
  await waitFor(() => expect(sockets).toHaveLength(2));
  const again = sockets[1] as FakeSocket;
  again.accept();
  again.answer(ready);
  expect(await findDeafness()).toBeVisible();
  again.answer(window(0, 0.9));
  await waitFor(() => expect(screen.queryByRole("region", { name: "Not hearing" })).toBeNull());
  expect(row("Not heard TIME.* to TIME.* 9.0 s")).toBeVisible();
  expect(row("TIME dog 1.0 s 90.0% Starter")).toBeVisible();
});

test("a microphone that stops sending is named as the cause, and its pause is not heard", async () => {
  const { socket, sockets, microphone } = await start();
  microphone.capture(1);
  socket.answer(window(0, 0.2));
  expect(await findDeafness()).toHaveTextContent(/No sound for 2 s.*The microphone sends no sound/);
  microphone.pause(60);
  microphone.capture(0.5);
  await waitFor(() => expect(sockets).toHaveLength(2));
});

test("listening goes on while other pages are visited, and after a reload of the page", async () => {
  const { user, socket, microphone, sockets, unmount } = await start();
  await user.click(screen.getByRole("link", { name: "Operations" }));
  await screen.findByRole("heading", { level: 1, name: "Operations" });
  expect(microphone.open).toBe(1);
  socket.answer(window(0, 0.9));
  expect(within(screen.getByRole("banner")).getByRole("link", { name: /Listening.*1 unseen/ })).toBeVisible();
  unmount();
  expect(microphone.open).toBe(0);
  await renderPage("/live");
  await waitFor(() => expect(sockets).toHaveLength(2));
  expect(microphone.open).toBe(1);
  expect(await screen.findByRole("row", { name: /dog .* 90.0% Starter/ })).toBeVisible();
});

test("a pinned label stays in sight, and thresholds set here are saved to the model", async () => {
  const labels = Array.from({ length: 40 }, (_, index) => `sound ${index}`);
  const { user, socket, last } = await start();
  socket.answer({ ...ready, spec: { ...spec, labels } });
  expect(screen.queryByRole("slider", { name: "Threshold of sound 30" })).toBeNull();
  await user.type(screen.getByLabelText("Pin a label"), "Sound 30{Enter}");
  const threshold = screen.getByRole("slider", { name: "Threshold of sound 30" });
  expect(screen.getByRole("button", { name: "Pin sound 30" })).toHaveAttribute("aria-pressed", "true");
  threshold.focus();
  await user.keyboard("{End}");
  await user.click(screen.getByRole("button", { name: "Save to the model" }));
  expect(await screen.findByText(/Saved to Starter/)).toBeVisible();
  expect(JSON.parse(last("PATCH /api/v1/models/1")?.body ?? "")).toEqual({
    spec: { thresholds: { dog: 0.6, "sound 30": 1 } },
  });
});

test("the crossings and what was not heard are saved as CSV", async () => {
  const { user, socket } = await start();
  socket.answer(window(0, 0.9));
  const files = captureDownloads();
  await user.click(screen.getByRole("button", { name: "Save as CSV" }));
  const [[name, file]] = [...files] as [[string, Blob]];
  expect(name).toMatch(/^listening-.*\.csv$/);
  expect(await file.text()).toMatch(/\r\ncrossing,.*,dog,0.9,0.6,Starter,false/);
});

test("what must be known about the model and the sound is shown, with its times", async () => {
  const { socket } = await start();
  socket.answer({ ...ready, findings: [{ code: "sample_rate_assumed", detail: "48000 Hz is assumed." }] });
  socket.answer({
    ...window(10, 0.9),
    findings: [{ code: "channels_cancel", detail: "The channels cancel.", start: 10, end: 11 }],
  } as StreamMessage);
  expect(screen.getByText("48000 Hz is assumed.")).toBeVisible();
  expect(screen.getByText(new RegExp(`^${TIME} to ${TIME}: The channels cancel\\.$`))).toBeVisible();
});

test("a connection that falls a second behind is closed instead of adding delay", async () => {
  const { socket, microphone } = await start();
  socket.bufferedAmount = 2 * 16_000 + 1;
  microphone.capture(0.5);
  expect(status()).toHaveTextContent("Connection lost");
});

test("choosing a model while listening starts a stream of that model", async () => {
  const { user, sockets, socket, microphone } = await start();
  await chooseOption(user, "Model", "Human v2, v2");
  await waitFor(() => expect(sockets).toHaveLength(2));
  expect(socket.readyState).toBe(3);
  expect(sockets[1]?.url).toMatch(/\/api\/v1\/stream\?model_id=2$/);
  expect(microphone.open).toBe(1);
});

test("a model chosen before the start is the one that scores", async () => {
  const { user, sockets } = await openPage();
  await chooseOption(user, "Model", "Human v2, v2");
  expect(sockets).toHaveLength(0);
  await user.click(screen.getByRole("button", { name: "Start listening" }));
  await waitFor(() => expect(sockets[0]?.url).toMatch(/\?model_id=2$/));
});

test("a refused microphone says what to do", async () => {
  const microphone = new FakeMicrophone();
  microphone.refuse("NotAllowedError");
  const { user } = await openPage(microphone);
  await user.click(screen.getByRole("button", { name: "Start listening" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The microphone is not allowed");
  expect(status()).toHaveTextContent("Not listening");
});

test("processing that the browser applies is named", async () => {
  await start(new FakeMicrophone({ autoGainControl: true, echoCancellation: true }));
  expect(screen.getByText(/The browser still applies gain control, echo cancellation/)).toBeVisible();
});
