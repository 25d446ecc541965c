import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { CompileReport } from "../api/types";
import { setNavigator } from "../test/browser";
import {
  makeClipProof,
  makeExamples,
  makeFact,
  makeHistoryEntry,
  makeModel,
  makeProblem,
  makeReport,
  makeSpec,
  makeStep,
} from "../test/fixtures";
import { renderPage } from "../test/render";
import { type Routes, serveApi } from "../test/server";

const model = makeModel({ model_id: 7, model_name: "Human v2", version: "v2", description: "Trained on ESC-10." });
const live = makeModel({ is_active: true });

function api(own: Routes = {}) {
  return serveApi({
    "GET /api/v1/models/7": model,
    "GET /api/v1/models": { models: [live, model], active_model: live, next_cursor: null, total: 2 },
    "GET /api/v1/models/7/report": makeReport(),
    "GET /api/v1/models/7/history": { entries: [], next_cursor: null },
    "GET /api/v1/models/7/examples": makeExamples(),
    "GET /api/v1/models/1/report": makeReport(),
    "GET /api/v1/models/7/signature": makeSignature(),
    "GET /api/v1/models/1/signature": makeSignature(),
    ...own,
  });
}

function makeSignature(detail = "There is no signature.") {
  return { model_id: 7, state: "absent", signer: null, detail, file_path: "models/x.onnx.sig", resources: {} };
}

const region = (title: string) =>
  within(screen.getByRole("heading", { level: 2, name: title }).closest("section") as HTMLElement);

const getFact = (name: string) => screen.getByText(name, { selector: "dt" }).nextSibling;

test("the model's metadata is shown, unknown values as such", async () => {
  api({ "GET /api/v1/models/7": { ...model, accuracy: null } });
  await renderPage("/models/7");
  expect(await screen.findByRole("heading", { level: 1 })).toHaveTextContent("Human v2v2");
  expect(screen.getByText("Trained on ESC-10.")).toBeVisible();
  expect(getFact("Accuracy")).toHaveTextContent("Not given");
  expect(getFact("Type")).toHaveTextContent("log_mel");
  expect(getFact("File")).toHaveTextContent("models/starter.keras");
  expect(getFact("State")).toHaveTextContent("Ready");
});

test("who signed the model is shown, and why its signature does not count", async () => {
  api({ "GET /api/v1/models/7/signature": makeSignature("Signed by release.") });
  await renderPage("/models/7");
  await waitFor(() => expect(getFact("Signature")).toHaveTextContent("Signed by release."));
});

test("a signature that cannot be read says why", async () => {
  api({
    "GET /api/v1/models/7/signature": () => ({ status: 409, body: makeProblem({ detail: "The file is missing." }) }),
  });
  await renderPage("/models/7");
  await waitFor(() => expect(getFact("Signature")).toHaveTextContent("The file is missing."));
});

test("a model that does not exist says so", async () => {
  api({ "GET /api/v1/models/7": () => ({ status: 404, body: makeProblem({ title: "No such model", status: 404 }) }) });
  await renderPage("/models/7");
  expect(await screen.findByRole("alert")).toHaveTextContent("No such model");
  expect(document.title).toBe("Model 7 · Understudy");
});

test("a model stays on screen, with an open dialog, while the server does not answer", async () => {
  const user = userEvent.setup();
  let down = false;
  api({ "GET /api/v1/models/7": () => (down ? { status: 503, body: makeProblem() } : { body: model }) });
  const { events } = await renderPage("/models/7");
  await user.click(await screen.findByRole("button", { name: "Edit" }));
  await user.type(await screen.findByLabelText("Version"), " typed");
  down = true;
  act(() => events.send("models", { model_id: 7, change: "updated" }));
  expect(await screen.findByText(makeProblem().detail)).toBeInTheDocument();
  expect(screen.getByLabelText("Version")).toHaveValue("v2 typed");
});

test("a refused model gives the reason, a lost or changed file a warning", async () => {
  api({
    "GET /api/v1/models/7": { ...model, compile_state: "refused", compile_error: makeProblem(), file_exists: false },
  });
  const { unmount } = await renderPage("/models/7");
  expect(await screen.findByRole("alert")).toHaveTextContent("Layer 'scale' is a Lambda layer.");
  expect(screen.getByText(/models\/starter.keras is not on disk/)).toBeVisible();
  unmount();
  api({ "GET /api/v1/models/7": { ...model, file_changed: true } });
  await renderPage("/models/7");
  expect(await screen.findByText(/models\/starter.keras changed after it was registered/)).toBeVisible();
});

test("a refused model is compiled again on request, and has no report", async () => {
  const user = userEvent.setup();
  const { find } = api({
    "GET /api/v1/models/7": { ...model, compile_state: "refused", compile_error: makeProblem() },
    "POST /api/v1/models/7/compile": { ...model, compile_state: "compiling" },
  });
  await renderPage("/models/7");
  expect(
    await screen.findByText("The model was refused, so there is no report. The reason stands above."),
  ).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Compile again" }));
  await waitFor(() => expect(find("POST /api/v1/models/7/compile")).toHaveLength(1));
});

test("why a refused model cannot be compiled again is said", async () => {
  const user = userEvent.setup();
  api({
    "GET /api/v1/models/7": { ...model, compile_state: "refused", compile_error: makeProblem() },
    "POST /api/v1/models/7/compile": () => ({ status: 409, body: makeProblem({ title: "The model file changed" }) }),
  });
  await renderPage("/models/7");
  await user.click(await screen.findByRole("button", { name: "Compile again" }));
  expect(await screen.findByText("The model file changed")).toBeVisible();
});

test("the live model is activated again where its changed spec waits for it", async () => {
  api({ "GET /api/v1/models/7": { ...model, is_active: true } });
  const { unmount } = await renderPage("/models/7");
  await screen.findByRole("heading", { level: 1 });
  expect(screen.queryByRole("button", { name: /Activate/ })).not.toBeInTheDocument();
  unmount();
  api({ "GET /api/v1/models/7": { ...model, is_active: true, spec_pending: true } });
  await renderPage("/models/7");
  expect(await screen.findByRole("button", { name: "Activate again" })).toBeEnabled();
});

test("what to know about spec and labels is shown", async () => {
  const note = "labels.txt beside the file names 2 labels; use it with --labels models/labels.txt";
  api({ "GET /api/v1/models/7": { ...model, notes: [note] } });
  await renderPage("/models/7");
  expect(await screen.findByText(note)).toBeVisible();
});

test("each command is copied as it is shown", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/models/7");
  await screen.findByRole("heading", { name: "From a terminal" });
  const commands = region("From a terminal");
  expect(commands.getByText("understudy predict clip.wav --model 7")).toBeVisible();
  const activate = commands.getByRole("heading", { name: "Make it live" }).parentElement as HTMLElement;
  await user.click(within(activate).getByRole("button", { name: "Copy curl" }));
  expect(await navigator.clipboard.readText()).toBe(`curl -X POST ${location.origin}/api/v1/models/7/activate`);
  expect(within(activate).getByRole("button", { name: "Copied" })).toBeVisible();
});

test("without a clipboard the commands have no copy button", async () => {
  api();
  setNavigator("clipboard", undefined);
  await renderPage("/models/7");
  expect(await screen.findByText("understudy show 7")).toBeVisible();
  expect(screen.queryByRole("button", { name: /^Copy/ })).toBeNull();
});

test("the history shows when the model was live, and other events with their reason", async () => {
  const at = (hour: number) => `2026-11-01T0${hour}:00:00Z`;
  api({
    "GET /api/v1/models/7/history": {
      entries: [
        makeHistoryEntry({ history_id: 4, event: "deactivated", at: at(5) }),
        makeHistoryEntry({ history_id: 3, event: "activated", at: at(3), generation: 7, actor: "cli" }),
        makeHistoryEntry({
          history_id: 2,
          event: "refused",
          at: at(2),
          detail: "Out of memory.",
          remedy: "Add memory.",
        }),
        makeHistoryEntry({ history_id: 1, event: "registered", at: at(1), actor: null }),
      ],
      next_cursor: null,
    },
  });
  await renderPage("/models/7");
  expect(await screen.findByText("Activated by the command line, generation 7")).toBeVisible();
  const items = region("History")
    .getAllByRole("listitem")
    .map((item) => item.textContent ?? "");
  expect(items).toHaveLength(3);
  expect(items[0]).toMatch(/^Live from .*2 h/);
  expect(items[1]).toMatch(/^Refused.*Out of memory\.Add memory\.$/);
  expect(items[2]).toMatch(/^Registered/);
});

test("the way from the recording to the label is drawn step by step", async () => {
  const pipeline = [
    makeStep("recording", "Recording"),
    makeStep("sound", "Sound", {
      facts: [makeFact("sample_rate", "16,000 Hz", "22,050 Hz"), makeFact("resampler", "soxr_hq")],
    }),
    makeStep("front_end", "MFCC", { facts: [makeFact("stft.n_fft", "2048"), makeFact("n_mfcc", "40")] }),
    makeStep("pooling", "Pooling over time", { unsaid: ["whether the values are averaged"] }),
    makeStep("network", "The model", { facts: [makeFact("input", "x [?, 40] float32")] }),
  ];
  api({ "GET /api/v1/models/7": { ...model, preset: "librosa-mfcc40-mean", pipeline } });
  await renderPage("/models/7");
  const steps = within(await screen.findByRole("list", { name: "Steps from the recording to the label" }));
  const boxes = steps.getAllByRole("listitem");
  expect(boxes.map((box) => within(box).getByRole("heading").textContent)).toEqual(pipeline.map(({ title }) => title));
  expect(boxes[1]).toHaveTextContent("sample_rate 16,000 Hz instead of 22,050 Hz");
  expect(boxes[1]).not.toHaveTextContent("soxr_hq instead of");
  expect(boxes[2]).toHaveTextContent("stft.n_fft 2048");
  expect(boxes[3]).toHaveTextContent("Not said: whether the values are averaged");
  expect(boxes[4]).not.toHaveTextContent("Not said");
  expect(screen.getByText("The preset librosa-mfcc40-mean, with the marked values changed.")).toBeVisible();
});

test("a step of many thresholds shows the first ones, and all on request", async () => {
  const user = userEvent.setup();
  const facts = Array.from({ length: 521 }, (_, index) => makeFact("threshold", `l${index} from 0.5`));
  api({ "GET /api/v1/models/7": { ...model, pipeline: [makeStep("verdict", "Verdict", { facts })] } });
  await renderPage("/models/7");
  expect(await screen.findByText("l13 from 0.5")).toBeVisible();
  expect(screen.queryByText("l14 from 0.5")).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "and 507 more: show all" }));
  expect(screen.getByText("l520 from 0.5")).toBeVisible();
});

test.each([
  ["yamnet", "As the preset yamnet says."],
  [null, "The spec names no preset."],
])("an unchanged preset %s is named as it is", async (preset, sentence) => {
  api({ "GET /api/v1/models/7": { ...model, preset, pipeline: [makeStep("recording", "Recording")] } });
  await renderPage("/models/7");
  expect(await screen.findByText(sentence)).toBeVisible();
});

test("all labels are shown on request, with the scores that make them events", async () => {
  const user = userEvent.setup();
  const labels = Array.from({ length: 41 }, (_, index) => `l${index}`);
  api({ "GET /api/v1/models/7/report": makeReport({ spec: { ...makeSpec(labels), thresholds: { l0: 0.6 } } }) });
  await renderPage("/models/7");
  await screen.findByRole("heading", { name: "From the recording to the label" });
  const spec = region("From the recording to the label");
  expect(spec.getByText("event from 0.60")).toBeVisible();
  expect(spec.queryByText("l40")).toBeNull();
  await user.click(spec.getByRole("button", { name: "Show all 41" }));
  expect(spec.getByText("l40")).toBeVisible();
});

test("the compile report says how far original and compiled model differ", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/models/7");
  await screen.findByText(/^On 1 random inputs/);
  const report = region("Compile report");
  expect(report.getByText(/^On 1 random inputs, .* at most 2.5e-7. Up to 1e-4 is allowed.$/)).toBeVisible();
  expect(report.getByText("Loaded with keras 3.12; the file was written by keras 3.10.")).toBeVisible();
  expect(report.getByRole("row", { name: "1 × 96 × 64 2.5e-7 1e-4" })).toBeVisible();
  await user.click(report.getByText("Signature, limits and versions"));
  expect(report.getByText("patch: float32 ? × 96 × 64")).toBeVisible();
  expect(report.getByText("no network, 4 GB of memory")).toBeVisible();
});

test("an int8 variant says whether it can go live, and why not", async () => {
  const quantization = {
    passed: false,
    reason: "It keeps 91 % of the labels.",
    agreement: {
      clip_agreement: 0.91,
      clips: 100,
      window_agreement: 0.9,
      windows: 2000,
      throughput_ratio: 1.84,
      max_change: 0.1234,
    },
  } as NonNullable<CompileReport["quantization"]>;
  api({ "GET /api/v1/models/7/report": makeReport({ quantization, parity: [] }) });
  await renderPage("/models/7");
  expect(await screen.findByText("The int8 variant cannot go live: It keeps 91 % of the labels.")).toBeVisible();
  expect(screen.getByText("91.00 % of 100 clips and 90.00 % of 2000 windows keep their label.")).toBeVisible();
  expect(screen.getByText(/1.8 times as fast; .* at most 0.123/)).toBeVisible();
  expect(screen.getByText("The file is ONNX, so nothing was converted.")).toBeVisible();
});

test("a model that is not compiled has no report yet", async () => {
  const { find } = api({ "GET /api/v1/models/7": { ...model, compile_state: "not_compiled" } });
  await renderPage("/models/7");
  expect(await screen.findByText(/^Not compiled yet/)).toBeVisible();
  expect(find("GET /api/v1/models/7/report")).toHaveLength(0);
});

test("a report that cannot be fetched says why, and is fetched again on request", async () => {
  const user = userEvent.setup();
  let broken = true;
  api({
    "GET /api/v1/models/7/report": () =>
      broken ? { status: 500, body: makeProblem({ title: "The report cannot be read" }) } : { body: makeReport() },
  });
  await renderPage("/models/7");
  expect(await screen.findByRole("alert")).toHaveTextContent("The report cannot be read");
  broken = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText(/^On 1 random inputs/)).toBeVisible();
});

test("a model that is not live is activated, tried, edited and deleted from its page", async () => {
  const user = userEvent.setup();
  const { find } = api({ "DELETE /api/v1/models/7": { model_id: 7, detail: "" } });
  const { getAddress } = await renderPage("/models/7");
  await screen.findByRole("button", { name: "Activate" });
  const tryLinks = screen.getAllByRole("link", { name: "Try it" }).map((link) => link.getAttribute("href"));
  expect(tryLinks).toContain("/try?model=7");

  await user.click(screen.getByRole("button", { name: "Activate" }));
  expect(await screen.findByRole("dialog", { name: "Make Human v2 live?" })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  await user.click(screen.getByRole("button", { name: "Edit" }));
  expect(await screen.findByRole("dialog", { name: "Edit Human v2" })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  await user.click(screen.getByRole("button", { name: "Delete" }));
  await user.click(await screen.findByRole("button", { name: "Delete the model" }));
  await waitFor(() => expect(getAddress()).toBe("/"));
  expect(find("DELETE /api/v1/models/7")).toHaveLength(1);
});

test("the live model's page offers neither activation nor deletion", async () => {
  api({ "GET /api/v1/models/7": { ...model, is_active: true } });
  await renderPage("/models/7");
  expect(await screen.findByRole("button", { name: "Delete" })).toBeDisabled();
  expect(screen.queryByRole("button", { name: "Activate" })).toBeNull();
});

test("without examples the page says that the features are not proved, and a dropped folder is sent", async () => {
  const user = userEvent.setup();
  const { last } = api({ "PUT /api/v1/models/7/examples": makeExamples() });
  await renderPage("/models/7");
  expect(await screen.findByText("Features not proved")).toBeVisible();
  const input = screen.getByLabelText("Choose the files");
  await user.upload(input, new File(["RIFF"], "siren.wav"));
  expect(await screen.findByText(/^Give exactly one file/)).toBeVisible();
  await user.upload(input, [
    new File(["file,label\nclips/siren.wav,siren\n"], "examples.csv"),
    new File(["RIFF"], "siren.wav"),
    new File(["RIFF"], "unnamed.wav"),
  ]);
  await waitFor(() => expect(last("PUT /api/v1/models/7/examples")).toBeDefined());
  const body = last("PUT /api/v1/models/7/examples")?.body ?? "";
  expect(body).toMatch(/name="examples"; filename="examples.csv"/);
  expect(body).toMatch(/name="clips"; filename="siren.wav"/);
  expect(body).not.toContain("unnamed.wav");
});

test("examples that differ are shown first, with both answers, and can be removed", async () => {
  const user = userEvent.setup();
  const clips = [
    makeClipProof({ file: "good.wav" }),
    makeClipProof({ file: "bad.wav", agrees: false, served_label: "noise", served_score: 0.31, max_difference: 0.41 }),
  ];
  const found = makeExamples("missed", clips);
  const { find } = api({ "GET /api/v1/models/7/examples": found, "DELETE /api/v1/models/7/examples": makeExamples() });
  await renderPage("/models/7");
  expect(await screen.findByText(found.summary.text)).toBeVisible();
  const rows = region("Examples")
    .getAllByRole("row")
    .map((row) => row.textContent);
  expect(rows[1]).toBe("✗ bad.wav, differssiren 0.7200noise; siren 0.31000.410.010");
  expect(rows[2]).toBe("✓ good.wavsiren 0.7200siren 0.72000.00100.010");
  await user.click(screen.getByRole("button", { name: "Remove the examples" }));
  await waitFor(() => expect(find("DELETE /api/v1/models/7/examples")).toHaveLength(1));
});

test("refused examples say why", async () => {
  const user = userEvent.setup();
  const refusal = () => ({ status: 422, body: makeProblem({ detail: "The clip a.wav was not sent." }) });
  api({ "PUT /api/v1/models/7/examples": refusal });
  await renderPage("/models/7");
  await user.upload(await screen.findByLabelText("Choose the files"), new File(["file,label"], "mine.csv"));
  expect(await screen.findByText("The clip a.wav was not sent.")).toBeVisible();
});
