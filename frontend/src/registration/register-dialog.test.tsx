import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { makeModel, makeProblem } from "../test/fixtures";
import { renderPage } from "../test/render";
import { type Routes, serveApi } from "../test/server";
import { serveUploads } from "../test/upload";
import { suggestName } from "./register-form";

const onDisk = { file_path: "models/spare.onnx", bytes: 420_000, modified_at: "2026-11-01T10:00:00Z", kind: "onnx" };
const file = new File(["model"], "new_head.onnx");

function api(own: Routes = {}) {
  return serveApi({
    "GET /api/v1/models": { models: [], active_model: null, next_cursor: null, total: 0 },
    "GET /api/v1/models/files": { files: [onDisk] },
    "POST /api/v1/models": () => ({ status: 201, body: makeModel() }),
    ...own,
  });
}

async function openDialog(user: ReturnType<typeof userEvent.setup>) {
  await renderPage("/");
  await user.click((await screen.findAllByRole("button", { name: "Register a model" }))[0] as HTMLElement);
  return screen.findByRole("dialog", { name: "Register a model" });
}

test("a chosen file uploads with progress, then its metadata is asked for", async () => {
  const user = userEvent.setup();
  const { find, last } = api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  const [upload] = uploads;
  expect(upload?.url).toBe(`${location.origin}/api/v1/models/upload?filename=new_head.onnx`);
  expect(upload?.file).toBe(file);
  upload?.progress(2, 5);
  expect(within(dialog).getByRole("progressbar", { name: "Uploading new_head.onnx" })).toHaveAttribute("value", "0.4");
  await upload?.answer(201, { file_path: "models/new_head.onnx", bytes: 5, digest: "ab" });

  expect(await within(dialog).findByLabelText("Name")).toHaveValue("new head");
  await user.clear(within(dialog).getByLabelText("Name"));
  await user.click(within(dialog).getByRole("button", { name: "Register" }));
  expect(within(dialog).getByText("Give the model a name.")).toBeVisible();
  expect(find("POST /api/v1/models")).toHaveLength(0);
  await user.type(within(dialog).getByLabelText("Name"), "Head");
  await user.click(within(dialog).getByRole("button", { name: "Register" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const body = JSON.parse(last("POST /api/v1/models")?.body ?? "");
  expect(body).toMatchObject({ file_path: "models/new_head.onnx", model_name: "Head" });
  expect(body).not.toHaveProperty("spec");
});

test("a folder that has to be converted first shows the command and cannot be picked", async () => {
  const note = "TensorFlow.js is not served as it is. Convert it: tensorflowjs_converter …";
  const folder = { ...onDisk, file_path: "models/cry", kind: "tensorflowjs", note };
  api({ "GET /api/v1/models/files": { files: [folder, onDisk] } });
  const dialog = await openDialog(userEvent.setup());
  expect(await within(dialog).findByText(note)).toBeVisible();
  expect(within(dialog).queryByRole("button", { name: /models\/cry/ })).toBeNull();
  expect(within(dialog).getByRole("button", { name: /models\/spare\.onnx/ })).toBeVisible();
});

test("a cancelled upload is aborted and leads back to the choice without an error", async () => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  await user.click(within(dialog).getByRole("button", { name: "Cancel the upload" }));
  expect(uploads[0]?.aborted).toBe(true);
  expect(await within(dialog).findByText("Drop a model file here")).toBeVisible();
  expect(within(dialog).queryByRole("alert")).toBeNull();
});

test.each(["{Escape}", "button"])("leaving during an upload (%s) is asked about, then aborts it", async (how) => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  const leave = () =>
    how === "button" ? user.click(within(dialog).getByRole("button", { name: "Close" })) : user.keyboard(how);
  await leave();
  await user.click(await screen.findByRole("button", { name: "Go on" }));
  expect(uploads[0]?.aborted).toBe(false);
  await leave();
  await user.click(await screen.findByRole("button", { name: "Leave" }));
  expect(uploads[0]?.aborted).toBe(true);
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("leaving after an upload says that the file stays", async () => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  await uploads[0]?.answer(201, { file_path: "models/new_head.onnx", bytes: 5, digest: "ab" });
  await within(dialog).findByLabelText("Name");
  await user.keyboard("{Escape}");
  expect(await screen.findByText(/models\/new_head\.onnx stays in the models folder/)).toBeVisible();
});

test("a taken file name offers another, and the upload goes on under it", async () => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  await uploads[0]?.answer(409, makeProblem({ code: "file_exists", status: 409 }));
  await user.click(await within(dialog).findByRole("button", { name: "Upload as new_head-2.onnx" }));
  await waitFor(() => expect(uploads).toHaveLength(2));
  expect(uploads[1]?.url).toContain("filename=new_head-2.onnx");
  await uploads[1]?.answer(201, { file_path: "models/new_head-2.onnx", bytes: 5, digest: "ab" });
  expect(await within(dialog).findByLabelText("Name")).toHaveValue("new head 2");
});

test("a model, its spec, labels, examples and training report are one registration", async () => {
  const user = userEvent.setup();
  const { last, find } = api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  const spec = { preset: "yamnet", input: "embedding", sample_rate: 16_000, thresholds: { dog: 0.4 } };
  const files = [
    new File([JSON.stringify(spec)], "new_head.spec.json"),
    new File(["0 dog\n1 rain\n"], "labels.txt"),
    file,
    new File(['{"evaluation": {"accuracy": 0.91}}'], "report.json"),
    new File(["file,label\na.wav,dog\n"], "examples.csv"),
    new File(["RIFF"], "a.wav", { type: "audio/wav" }),
  ];
  await user.upload(within(dialog).getByLabelText("Choose files"), files);
  await waitFor(() => expect(uploads).toHaveLength(1));
  await uploads[0]?.answer(201, { file_path: "models/new_head.onnx", bytes: 5, digest: "ab" });
  const preview = await within(dialog).findByRole("region", { name: "What the files say" });
  expect(preview).toHaveTextContent("2 labels: dog, rain");
  expect(preview).toHaveTextContent("preset yamnet, YAMNet embeddings, 16,000 Hz");
  expect(within(dialog).getByLabelText("Accuracy")).toHaveValue("0.91");
  await user.click(within(dialog).getByRole("button", { name: "Register" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(uploads).toHaveLength(1);
  expect(find("POST /api/v1/models")).toHaveLength(1);
  const body = last("POST /api/v1/models")?.body ?? "";
  const model = JSON.parse(/name="model"\r\n\r\n(.*)\r\n/.exec(body)?.[1] ?? "{}");
  expect(model).toMatchObject({ accuracy: 0.91, spec: { ...spec, labels: ["dog", "rain"] } });
  expect(body).toMatch(/name="clips"; filename="a.wav"/);
});

test.each([
  ["new_head.spec.json", "is a spec, which describes a model"],
  ["notes.txt", "is no model file"],
])("%s alone is no model", async (name, reason) => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), new File(["{}"], name));
  expect(await within(dialog).findByText(new RegExp(reason))).toBeVisible();
  expect(uploads).toHaveLength(0);
});

test("a refused upload says why, and another file can be chosen", async () => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  await uploads[0]?.answer(413, makeProblem({ title: "The file is too large", status: 413 }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("The file is too large");
  expect(within(dialog).getByRole("button", { name: "Choose files" })).toBeEnabled();
});

test("an upload that loses the server says so", async () => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  await user.upload(within(dialog).getByLabelText("Choose files"), file);
  await waitFor(() => expect(uploads).toHaveLength(1));
  await uploads[0]?.fail();
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("The server does not answer");
});

test("a file dropped anywhere on the page is uploaded at once", async () => {
  api();
  const uploads = serveUploads();
  await renderPage("/");
  await screen.findByText("No models yet");
  const dataTransfer = { types: ["Files"], items: [], files: [file] };
  fireEvent.dragOver(document.body, { dataTransfer });
  expect(screen.getByText("Drop the file to upload and register it")).toBeVisible();
  fireEvent.drop(document.body, { dataTransfer });
  expect(await screen.findByRole("progressbar", { name: "Uploading new_head.onnx" })).toBeVisible();
  expect(uploads).toHaveLength(1);
});

test("a file dropped onto the field of the dialog is uploaded", async () => {
  const user = userEvent.setup();
  api();
  const uploads = serveUploads();
  const dialog = await openDialog(user);
  const dataTransfer = { items: [], files: [file] };
  fireEvent.drop(within(dialog).getByText("Drop a model file here"), { dataTransfer });
  expect(await within(dialog).findByRole("progressbar")).toBeVisible();
  expect(uploads[0]?.file).toBe(file);
});

test("a model is registered together with its examples", async () => {
  const user = userEvent.setup();
  const { last } = api();
  const dialog = await openDialog(user);
  await user.click(await within(dialog).findByRole("button", { name: /models\/spare.onnx/ }));
  const files = [new File(["file,label\na.wav,x\n"], "examples.csv"), new File(["RIFF"], "a.wav")];
  await user.upload(within(dialog).getByLabelText("Choose the files"), files);
  expect(await within(dialog).findByText("1 clip with its expected answer")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Without these examples" }));
  await user.upload(within(dialog).getByLabelText("Choose the files"), files);
  await user.click(within(dialog).getByRole("button", { name: "Register" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const body = last("POST /api/v1/models")?.body ?? "";
  expect(body).toMatch(/name="model"\r\n\r\n{.*"file_path":"models\/spare.onnx"/);
  expect(body).toMatch(/name="clips"; filename="a.wav"/);
});

test("another file can be chosen after the first", async () => {
  const user = userEvent.setup();
  api();
  const dialog = await openDialog(user);
  await user.click(await within(dialog).findByRole("button", { name: /models\/spare.onnx/ }));
  expect(within(dialog).getByText("models/spare.onnx")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Choose another file" }));
  expect(await within(dialog).findByText("Drop a model file here")).toBeVisible();
});

test("a refused registration keeps the form, with the reason", async () => {
  const user = userEvent.setup();
  api({ "POST /api/v1/models": () => ({ status: 422, body: makeProblem({ detail: "It has 3 outputs, not 2." }) }) });
  const dialog = await openDialog(user);
  await user.click(await within(dialog).findByRole("button", { name: /models\/spare.onnx/ }));
  await user.type(within(dialog).getByLabelText("Labels"), "dog\nrain");
  await user.click(within(dialog).getByRole("button", { name: "Register" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("It has 3 outputs, not 2.");
  expect(within(dialog).getByLabelText("Labels")).toHaveValue("dog\nrain");
});

test("a models folder that cannot be listed says so, and is listed again on request", async () => {
  const user = userEvent.setup();
  let broken = true;
  api({
    "GET /api/v1/models/files": () =>
      broken
        ? { status: 500, body: makeProblem({ title: "The folder cannot be read" }) }
        : { body: { files: [onDisk] } },
  });
  const dialog = await openDialog(user);
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("The folder cannot be read");
  broken = false;
  await user.click(within(dialog).getByRole("button", { name: "Try again" }));
  expect(await within(dialog).findByRole("button", { name: /models\/spare.onnx/ })).toBeVisible();
});

test("a file's name suggests the model's", () => {
  expect(suggestName("models/yamnet_human-v2.keras")).toBe("yamnet human v2");
});
