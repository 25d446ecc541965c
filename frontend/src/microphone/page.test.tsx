import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { StreamMessage } from "../api/types";
import { makeModel, makeProblem } from "../test/fixtures";
import { FakeMicrophone } from "../test/microphone";
import { renderPage } from "../test/render";
import { serveApi } from "../test/server";
import { type FakeSocket, serveStreams } from "../test/stream";

const model = { model_id: 1, model_name: "Starter", version: null, digest: "ab", precision: "float32" as const };
const spec = { window_seconds: 1, hop_seconds: 0.5, labels: ["dog", "rain"], thresholds: { dog: 0.6 } };
const ready: StreamMessage = { type: "ready", model, generation: 1, spec };
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
  serveApi({
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
  return { user, microphone, sockets, ...page };
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
  within(screen.getByRole("main")).getByText(/^(Not listening|Connecting|Listening|Connection lost)/);

test("starting opens a stream of the live model and sends the sound", async () => {
  const { socket, microphone } = await start();
  expect(socket.url).toMatch(/^ws.*\/api\/v1\/stream$/);
  expect(socket.messages).toEqual([{ sample_rate: 16_000, encoding: "pcm16", channels: 1 }]);
  expect(status()).toHaveTextContent("Listening. Answered by Starter");
  microphone.capture(0.5);
  expect((socket.sent.at(-1) as ArrayBuffer).byteLength).toBe(16_000);
  expect(screen.getByText(/The sound is used unchanged/)).toBeVisible();
});

test("stopping ends the stream and closes the microphone", async () => {
  const { user, socket, microphone } = await start();
  expect(microphone.open).toBe(1);
  await user.click(screen.getByRole("button", { name: "Stop" }));
  expect(socket.messages.at(-1)).toEqual({ type: "end" });
  expect(microphone.open).toBe(0);
  expect(status()).toHaveTextContent("Not listening");
});

test("leaving the page closes the microphone", async () => {
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
  expect(screen.getByText("20.0%")).toBeVisible();
  socket.answer(window(0.5, 0.7));
  const crossings = within(screen.getByRole("region", { name: "Threshold crossings" }));
  expect(crossings.getByRole("row", { name: "0:00.5 dog 70.0% Starter" })).toBeVisible();
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
  expect(screen.getByRole("row", { name: "0:00.5 dog 3.0% Starter" })).toBeVisible();
});

test("a switch of the live model is listed, and its labels replace the old ones", async () => {
  const { socket } = await start();
  socket.answer({
    type: "swap",
    at: 3,
    model: { ...model, model_id: 2, model_name: "Human v2" },
    generation: 2,
    spec: { ...spec, labels: ["siren"], thresholds: {} },
  });
  expect(status()).toHaveTextContent("Listening. Answered by Human v2");
  const swaps = screen.getByRole("region", { name: "Model changes" });
  expect(within(swaps).getByText("Human v2 from 0:03.0")).toBeVisible();
  expect(screen.getByRole("slider", { name: "Threshold of siren" })).toBeVisible();
  expect(screen.queryByRole("slider", { name: "Threshold of dog" })).toBeNull();
});

test("an error of the stream is shown with its remedy", async () => {
  const { socket } = await start();
  socket.answer({ type: "error", problem: makeProblem({ title: "The server is busy", remedy: "Wait a minute." }) });
  expect(screen.getByRole("alert")).toHaveTextContent("Wait a minute.");
});

test("a lost connection is opened again, and its times continue", async () => {
  const { sockets, socket, microphone } = await start();
  microphone.capture(10);
  socket.drop();
  expect(status()).toHaveTextContent("Connection lost. Connecting again");
  await waitFor(() => expect(sockets).toHaveLength(2));
  const again = sockets[1] as FakeSocket;
  again.accept();
  again.answer(ready);
  expect(status()).toHaveTextContent("Listening. Answered by Starter");
  again.answer(window(0.5, 0.9));
  expect(screen.getByRole("row", { name: "0:10.5 dog 90.0% Starter" })).toBeVisible();
});

test("a connection that falls a second behind is closed instead of adding delay", async () => {
  const { socket, microphone } = await start();
  socket.bufferedAmount = 2 * 16_000 + 1;
  microphone.capture(0.5);
  expect(status()).toHaveTextContent("Connection lost");
});

test("choosing a model while listening starts a stream of that model", async () => {
  const { user, sockets, socket, microphone } = await start();
  await user.selectOptions(screen.getByLabelText("Model"), "Human v2, v2");
  await waitFor(() => expect(sockets).toHaveLength(2));
  expect(socket.readyState).toBe(3);
  expect(sockets[1]?.url).toMatch(/\/api\/v1\/stream\?model_id=2$/);
  expect(microphone.open).toBe(1);
});

test("a model chosen before the start is the one that scores", async () => {
  const { user, sockets } = await openPage();
  await user.selectOptions(screen.getByLabelText("Model"), "Human v2, v2");
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
