import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { setScreen } from "../test/browser";
import {
  makeHistoryEntry,
  makeLiveStatus,
  makeMetrics,
  makeModel,
  makeOperation,
  makeProblem,
  makeSpec,
  makeStatus,
} from "../test/fixtures";
import { renderPage } from "../test/render";
import { serveApi } from "../test/server";

const live = makeModel({ is_active: true });
const other = makeModel({ model_id: 2, model_name: "Human v2", version: "v2", accuracy: 0.92 });
const refused = makeModel({
  model_id: 3,
  model_name: "Lambda",
  compile_state: "refused",
  compile_error: makeProblem(),
});

function api(own: Record<string, unknown> = {}) {
  return serveApi({
    "GET /api/v1/models": { models: [live, other, refused], active_model: live, next_cursor: null, total: 3 },
    "GET /api/v1/models/2": other,
    "GET /api/v1/models/types": { types: ["head", "log_mel"] },
    "GET /api/v1/models/rollback": { model: other, variant: "float32" },
    "GET /api/v1/metrics/summary": makeMetrics(),
    "GET /api/v1/models/1/history": {
      entries: [makeHistoryEntry({ event: "activated", actor: "cli", generation: 7 })],
      next_cursor: null,
    },
    "GET /api/v1/models/1/report": { spec: makeSpec(["dog", "rain"]) },
    "GET /api/v1/models/2/report": { spec: makeSpec(["rain", "siren"]) },
    "POST /api/v1/models/2/activate": () => ({ status: 202, body: makeOperation() }),
    ...own,
  });
}

test("the live model leads: name, since when, by whom, accuracy", async () => {
  api();
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText("Starter")).toBeVisible();
  expect(await within(panel).findByText(/by the command line/)).toBeVisible();
  expect(within(panel).getByText("87.3%")).toBeVisible();
});

test("the panel says what the live model listens for and whether it works", async () => {
  const last_event = {
    at: new Date().toISOString(),
    label: "dog",
    score: 0.95,
    source: null,
    model: makeStatus().live?.model,
  };
  const total = { requests: 1234, errors: 0, latency_ms: { p50: 4, p95: 41, p99: 60 } };
  api({
    "GET /api/v1/metrics/summary": { ...makeMetrics(), total, last_event },
    "GET /api/v1/models/1/report": { spec: makeSpec(Array.from({ length: 12 }, (_, index) => `label ${index}`)) },
  });
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText("label 9")).toBeVisible();
  expect(within(panel).getByRole("link", { name: "and 2 more" })).toHaveAttribute("href", "/models/1");
  expect(await within(panel).findByText("1,234")).toBeVisible();
  expect(within(panel).getByText("41 ms")).toBeVisible();
  expect(within(panel).getByText(/^dog$/)).toBeVisible();
  expect(within(panel).getByRole("link", { name: "Listen" })).toHaveAttribute("href", "/live");
});

test("numbers that cannot be fetched are not shown as zero", async () => {
  api({ "GET /api/v1/metrics/summary": () => ({ status: 503, body: makeProblem() }) });
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  const recordings = (await within(panel).findByText("Recordings in the last hour")).parentElement;
  expect(recordings).toHaveTextContent("Recordings in the last hour–");
});

test("a rollback that is done can be undone", async () => {
  const user = userEvent.setup();
  const starter = { model: live, variant: "float32" };
  const { last } = api({
    "GET /api/v1/models/rollback": starter,
    "GET /api/v1/status": makeStatus({ live: makeLiveStatus({ generation: 8 }) }),
    "POST /api/v1/models/rollback": () => ({ status: 202, body: makeOperation({ kind: "rollback" }) }),
  });
  const { events } = await renderPage("/");
  await screen.findByRole("link", { name: "Human v2" });
  const done = makeOperation({
    operation_id: "op0",
    kind: "rollback",
    state: "succeeded",
    step: "swap",
    generation: 8,
  });
  act(() => events.send("operation", done));
  const tray = screen.getByRole("region", { name: "Activations" });
  await user.click(await within(tray).findByRole("button", { name: "Undo" }));
  expect(last("POST /api/v1/models/rollback")?.search.get("reason")).toBe("Undone");
});

test("an undo that is refused says why", async () => {
  const user = userEvent.setup();
  api({
    "GET /api/v1/status": makeStatus({ live: makeLiveStatus({ generation: 8 }) }),
    "POST /api/v1/models/rollback": () => ({
      status: 409,
      body: makeProblem({ code: "approval_needed", title: "A second person has to approve it", remedy: "Ask." }),
    }),
  });
  const { events } = await renderPage("/");
  act(() => events.send("operation", makeOperation({ model_id: 1, state: "succeeded", step: "swap", generation: 8 })));
  const tray = screen.getByRole("region", { name: "Activations" });
  await user.click(await within(tray).findByRole("button", { name: "Undo" }));
  expect(await within(tray).findByRole("alert")).toHaveTextContent("A second person has to approve it");
});

test("a server that started within the hour does not count for the whole of it", async () => {
  api({ "GET /api/v1/status": makeStatus({ uptime_seconds: 40 }) });
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText("Recordings since the server started")).toBeVisible();
  expect(within(panel).queryByText("Recordings in the last hour")).toBeNull();
});

test("commands in a note about the live model are drawn as code", async () => {
  const note = "`front_end` leaves the mel scale unsaid.";
  api({ "GET /api/v1/status": makeStatus({ live: makeLiveStatus({ notes: [note] }) }) });
  await renderPage("/");
  expect((await screen.findByText("front_end")).tagName).toBe("CODE");
  expect(screen.getByText(/leaves the mel scale unsaid/)).not.toHaveTextContent("`");
});

test("a refused model says why in its row", async () => {
  api();
  await renderPage("/");
  expect(await screen.findByText("Layer 'scale' is a Lambda layer.")).toBeVisible();
  expect(screen.getByText("Refused")).toBeVisible();
});

test("activating shows which labels come and go, then follows the steps to the end", async () => {
  const user = userEvent.setup();
  const { requests } = api();
  const { events } = await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("1 label is new: siren.")).toBeVisible();
  expect(within(dialog).getByText(/1 label is lost: dog\./)).toBeVisible();
  await user.type(within(dialog).getByLabelText("Why"), "hears sirens");
  await user.click(within(dialog).getByRole("button", { name: "Make it live" }));
  const asked = requests.find((one) => one.key.startsWith("POST"))?.search;
  expect(Object.fromEntries(asked ?? [])).toEqual({ wait: "false", tensors_only: "false", reason: "hears sirens" });
  act(() => events.send("operation", makeOperation({ step: "warm_up", updated_at: "2026-11-01T10:00:01Z" })));
  expect(within(dialog).getByText("Warm up").closest("li")).toHaveAttribute("aria-current", "step");
  act(() =>
    events.send(
      "operation",
      makeOperation({
        step: "swap",
        state: "succeeded",
        warnings: ["models/head.spec.json changed."],
        updated_at: "2026-11-01T10:00:02Z",
      }),
    ),
  );
  expect(await within(dialog).findByText("Human v2 is live")).toBeVisible();
  expect(within(dialog).getByText("models/head.spec.json changed.")).toBeVisible();
});

test("a failed activation gives the reason, the remedy and what is still live", async () => {
  const user = userEvent.setup();
  api();
  const { events } = await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  act(() =>
    events.send(
      "operation",
      makeOperation({ step: "compile", state: "failed", error: makeProblem(), updated_at: "2026-11-01T10:00:02Z" }),
    ),
  );
  const dialog = screen.getByRole("dialog");
  expect(await within(dialog).findByText("Layer 'scale' is a Lambda layer.")).toBeVisible();
  expect(within(dialog).getByText(/Replace Lambda layers/)).toBeVisible();
  expect(within(dialog).getByText("Starter is still live.")).toBeVisible();
});

test("an activation started elsewhere shows here, and ends in a list that was fetched again", async () => {
  const { requests } = api();
  const { events } = await renderPage("/");
  await screen.findByText("Human v2");
  act(() => events.send("operation", makeOperation()));
  expect(await screen.findByText("Activating Human v2")).toBeVisible();
  const before = requests.filter((one) => one.key === "GET /api/v1/models").length;
  await act(async () => events.send("stage", { generation: 8, model: null, at: "2026-11-01T10:00:00Z" }));
  expect(requests.filter((one) => one.key === "GET /api/v1/models").length).toBeGreaterThan(before);
});

test("search goes to the server, and an empty answer offers the way back", async () => {
  const user = userEvent.setup();
  const { requests } = api({
    "GET /api/v1/models": (request: Request) => {
      const none = new URL(request.url).searchParams.get("q") === "zebra";
      return {
        body: { models: none ? [] : [live, other], active_model: live, next_cursor: null, total: none ? 0 : 2 },
      };
    },
  });
  await renderPage("/");
  await user.type(await screen.findByRole("searchbox", { name: "Search" }), "zebra");
  expect(await screen.findByText("Nothing matches")).toBeVisible();
  expect(requests.some((one) => one.search.get("q") === "zebra")).toBe(true);
  await user.click(screen.getByRole("button", { name: "Clear the search" }));
  expect(await screen.findByText("Human v2")).toBeVisible();
});

test("deleting says that the file stays", async () => {
  const user = userEvent.setup();
  const { requests } = api({ "DELETE /api/v1/models/2": { model_id: 2, detail: "" } });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "More actions for Human v2" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  expect(await screen.findByText("The file models/starter.keras stays where it is.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Delete the model" }));
  expect(requests.some((one) => one.key === "DELETE /api/v1/models/2")).toBe(true);
});

test("a server that does not answer is named, with what to do", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
  await renderPage("/");
  expect(await screen.findByText("The server does not answer")).toBeVisible();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  expect(screen.queryByText("No model is live")).toBeNull();
});

test("registering a file from the models folder sends its path and labels", async () => {
  const user = userEvent.setup();
  const { requests } = api({
    "GET /api/v1/models/files": {
      files: [
        { file_path: "models/new_head.keras", bytes: 420_000, modified_at: "2026-11-01T10:00:00Z", kind: "keras" },
      ],
    },
    "POST /api/v1/models": () => ({ status: 201, body: other }),
  });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Register a model" }));
  await user.click(await screen.findByRole("button", { name: /models\/new_head.keras/ }));
  expect(screen.getByLabelText("Name")).toHaveValue("new head");
  await user.type(screen.getByLabelText("Labels"), "dog\nrain");
  await user.click(screen.getByRole("button", { name: "Register" }));
  const body = JSON.parse(requests.find((one) => one.key === "POST /api/v1/models")?.body ?? "{}");
  expect(body).toMatchObject({
    file_path: "models/new_head.keras",
    model_name: "new head",
    spec: { labels: ["dog", "rain"] },
  });
});

test("the type filter is sent to the server and kept in the address", async () => {
  const user = userEvent.setup();
  const { find } = api();
  const { getAddress } = await renderPage("/");
  await screen.findByText("Human v2");
  await user.selectOptions(screen.getByRole("combobox", { name: "Type" }), "log_mel");
  await waitFor(() => expect(find("GET /api/v1/models").at(-1)?.search.get("type")).toBe("log_mel"));
  expect(getAddress()).toBe("/?type=log_mel");
});

test("the sort order is chosen in the field or by a column's heading", async () => {
  const user = userEvent.setup();
  const { find } = api();
  await renderPage("/");
  await screen.findByText("Human v2");
  const lastSort = () => find("GET /api/v1/models").at(-1)?.search.get("sort");
  await user.selectOptions(screen.getByRole("combobox", { name: "Sort by" }), "Name, A to Z");
  await waitFor(() => expect(lastSort()).toBe("name"));
  await user.click(screen.getByRole("button", { name: "Accuracy" }));
  await waitFor(() => expect(lastSort()).toBe("-accuracy"));
  expect(screen.getByRole("columnheader", { name: "Accuracy" })).toHaveAttribute("aria-sort", "descending");
  await user.click(screen.getByRole("button", { name: "Accuracy" }));
  await waitFor(() => expect(lastSort()).toBe("accuracy"));
  expect(screen.getByRole("combobox", { name: "Sort by" })).toHaveValue("accuracy");
});

test("search, type and sort order of the address are applied on arrival", async () => {
  const { find } = api();
  await renderPage("/?q=human&type=log_mel&sort=name");
  expect(await screen.findByRole("searchbox", { name: "Search" })).toHaveValue("human");
  const asked = find("GET /api/v1/models").find((request) => request.search.get("q") === "human");
  expect(Object.fromEntries(asked?.search ?? [])).toMatchObject({ q: "human", type: "log_mel", sort: "name" });
  expect(screen.getByText("3 matches")).toBeVisible();
});

test("more models are fetched from the cursor and added below", async () => {
  const user = userEvent.setup();
  const { find } = api({
    "GET /api/v1/models": (request: Request) => {
      const second = new URL(request.url).searchParams.get("cursor") === "page 2";
      return {
        body: {
          models: second ? [refused] : [live, other],
          active_model: live,
          next_cursor: second ? null : "page 2",
          total: 3,
        },
      };
    },
  });
  await renderPage("/");
  expect(await screen.findByText("2 of 3 shown")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show more" }));
  expect(await screen.findByRole("link", { name: "Lambda" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Human v2" })).toBeVisible();
  expect(screen.getByText("3 registered")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
  expect(find("GET /api/v1/models").at(-1)?.search.get("cursor")).toBe("page 2");
});

test("a narrow screen shows cards with the same actions", async () => {
  setScreen("narrow");
  api();
  await renderPage("/");
  expect(await screen.findByRole("button", { name: "Activate Human v2" })).toBeVisible();
  expect(screen.getByRole("button", { name: "More actions for Starter" })).toBeVisible();
  expect(screen.queryByRole("table")).toBeNull();
});

test("with models but none live, the panel says that predictions are refused and the list offers to activate", async () => {
  const { requests } = api({
    "GET /api/v1/models": { models: [other], active_model: null, next_cursor: null, total: 1 },
    "GET /api/v1/models/active": () => ({ status: 404, body: makeProblem({ code: "active_model_not_found" }) }),
  });
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText("No model is live")).toBeVisible();
  expect(within(panel).getByText(/Predictions are refused until you activate a model/)).toBeVisible();
  expect(within(panel).queryByRole("alert")).toBeNull();
  expect(await screen.findByRole("button", { name: "Activate Human v2" })).toBeEnabled();
  expect(requests.some((one) => one.key === "GET /api/v1/models/active")).toBe(false);
});

test("an empty registry says that no model is live and offers to register one", async () => {
  const user = userEvent.setup();
  api({
    "GET /api/v1/models": { models: [], active_model: null, next_cursor: null, total: 0 },
    "GET /api/v1/models/files": { files: [] },
  });
  await renderPage("/");
  expect(await screen.findByText("No model is live")).toBeVisible();
  expect(screen.getByText("No models yet")).toBeVisible();
  await user.click(screen.getAllByRole("button", { name: "Register a model" })[1] as HTMLElement);
  expect(await screen.findByText("Every file in the models folder is registered.")).toBeVisible();
});

async function openMenuItem(user: ReturnType<typeof userEvent.setup>, model: string, item: string) {
  await user.click(await screen.findByRole("button", { name: `More actions for ${model}` }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
}

test("an edit is checked before it is sent, and closes the dialog when saved", async () => {
  const user = userEvent.setup();
  const { find } = api({ "PATCH /api/v1/models/2": other });
  await renderPage("/");
  await openMenuItem(user, "Human v2", "Edit");
  const dialog = await screen.findByRole("dialog", { name: "Edit Human v2" });
  const accuracy = within(dialog).getByLabelText("Accuracy");
  expect(accuracy).toHaveValue("0.92");
  await user.clear(accuracy);
  await user.type(accuracy, "92");
  await user.clear(within(dialog).getByLabelText("Name"));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(within(dialog).getByText("Give the model a name.")).toBeVisible();
  expect(accuracy).toHaveAccessibleDescription("Give a number between 0 and 1, such as 0.92.");
  expect(find("PATCH /api/v1/models/2")).toHaveLength(0);

  await user.type(within(dialog).getByLabelText("Name"), "Human v3");
  await user.clear(accuracy);
  await user.type(accuracy, "0,95");
  await user.clear(within(dialog).getByLabelText("Version"));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(JSON.parse(find("PATCH /api/v1/models/2")[0]?.body ?? "")).toEqual({
    model_name: "Human v3",
    version: null,
    model_type: "log_mel",
    description: null,
    accuracy: 0.95,
  });
});

test("labels are edited one on each line, counted, and sent only when they changed", async () => {
  const user = userEvent.setup();
  const file = { file_path: "models/labels.txt", labels: ["dog", "sea"], note: null };
  const { find } = api({
    "GET /api/v1/models/2": { ...other, is_active: true, label_files: [file] },
    "PATCH /api/v1/models/2": other,
  });
  await renderPage("/");
  await openMenuItem(user, "Human v2", "Edit");
  const dialog = await screen.findByRole("dialog", { name: "Edit Human v2" });
  const labels = await within(dialog).findByLabelText("Labels");
  expect(labels).toHaveValue("rain\nsiren");
  expect(labels).toHaveAccessibleDescription(/2 of 2\. The live model answers with its present labels until/);
  await user.type(labels, "\nextra");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(labels).toHaveAccessibleDescription("The model needs 2 labels; 3 are given.");
  expect(find("PATCH /api/v1/models/2")).toHaveLength(0);
  await user.click(within(dialog).getByRole("button", { name: "Use models/labels.txt (2 labels)" }));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const body = JSON.parse(find("PATCH /api/v1/models/2")[0]?.body ?? "");
  expect(body.spec).toEqual({ labels: ["dog", "sea"] });
});

test("clearing the labels of a model sends null, so that its file names them again", async () => {
  const user = userEvent.setup();
  const { find } = api({
    "GET /api/v1/models/2": { ...other, given_spec: { labels: ["a", "b"] } },
    "PATCH /api/v1/models/2": other,
  });
  await renderPage("/");
  await openMenuItem(user, "Human v2", "Edit");
  const labels = await screen.findByLabelText("Labels");
  expect(labels).toHaveValue("a\nb");
  await user.clear(labels);
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(find("PATCH /api/v1/models/2")).toHaveLength(1));
  expect(JSON.parse(find("PATCH /api/v1/models/2")[0]?.body ?? "").spec).toEqual({ labels: null });
});

test("a refused edit keeps the dialog and its fields, with the reason", async () => {
  const user = userEvent.setup();
  api({ "PATCH /api/v1/models/2": () => ({ status: 409, body: makeProblem({ detail: "The version is taken." }) }) });
  await renderPage("/");
  await openMenuItem(user, "Human v2", "Edit");
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Version"), "b");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("The version is taken.");
  expect(within(dialog).getByLabelText("Version")).toHaveValue("v2b");
});

test("the live model cannot be deleted, and the dialog says what to do first", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/");
  await openMenuItem(user, "Starter", "Delete");
  expect(await screen.findByText("This model is live. Activate another one first.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Delete the model" })).toBeDisabled();
});

test("a refused deletion keeps the dialog, with the reason", async () => {
  const user = userEvent.setup();
  api({ "DELETE /api/v1/models/2": () => ({ status: 409, body: makeProblem({ detail: "It went live meanwhile." }) }) });
  await renderPage("/");
  await openMenuItem(user, "Human v2", "Delete");
  await user.click(await screen.findByRole("button", { name: "Delete the model" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("It went live meanwhile.");
  expect(screen.getByRole("dialog")).toBeVisible();
});

test("rolling back starts an operation that the tray shows until it is dismissed", async () => {
  const user = userEvent.setup();
  const { last } = api({
    "POST /api/v1/models/rollback": () => ({ status: 202, body: makeOperation({ kind: "rollback" }) }),
  });
  const { events } = await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Roll back to Human v2" }));
  expect(last("POST /api/v1/models/rollback")?.search.get("wait")).toBe("false");
  const tray = screen.getByRole("region", { name: "Activations" });
  expect(await within(tray).findByText("Rolling back to Human v2")).toBeVisible();
  expect(within(tray).queryByRole("button", { name: "Dismiss" })).toBeNull();
  const failure = makeProblem({ detail: "The file is gone." });
  act(() =>
    events.send(
      "operation",
      makeOperation({ kind: "rollback", state: "failed", error: failure, updated_at: "2026-11-01T10:00:02Z" }),
    ),
  );
  expect(within(tray).getByRole("alert")).toHaveTextContent("The file is gone.");
  await user.click(within(tray).getByRole("button", { name: "Dismiss" }));
  expect(within(tray).queryByRole("alert")).toBeNull();
});

test("a refused rollback says why", async () => {
  const user = userEvent.setup();
  api({
    "POST /api/v1/models/rollback": () => ({ status: 409, body: makeProblem({ title: "Nothing to roll back to" }) }),
  });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Roll back to Human v2" }));
  expect(await screen.findByText("Nothing to roll back to")).toBeVisible();
});

test("the first model that went live offers no rollback", async () => {
  api({
    "GET /api/v1/models/rollback": () => ({ status: 409, body: makeProblem({ code: "nothing_to_roll_back" }) }),
  });
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText(/Since/)).toBeVisible();
  expect(within(panel).queryByRole("button", { name: /Roll back/ })).toBeNull();
});

test("a refused activation says why before anything starts", async () => {
  const user = userEvent.setup();
  api({
    "POST /api/v1/models/2/activate": () => ({ status: 409, body: makeProblem({ detail: "The file changed." }) }),
  });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  const dialog = screen.getByRole("dialog");
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("The file changed.");
  expect(within(dialog).getByRole("button", { name: "Make it live" })).toBeEnabled();
});

const takesTensors = makeProblem({
  code: "takes_tensors",
  title: "The model cannot score recordings",
  detail: "Model 2 takes tensors only.",
});

test("an activation that waits for a second person is not offered again", async () => {
  const user = userEvent.setup();
  const problem = makeProblem({ code: "approval_needed", title: "The activation waits for a second person" });
  api({ "POST /api/v1/models/2/activate": () => ({ status: 409, body: problem }) });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  const dialog = screen.getByRole("dialog");
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("waits for a second person");
  expect(within(dialog).queryByRole("button", { name: "Make it live" })).toBeNull();
});

test("a model that cannot score recordings is refused, and a button activates it for tensors only", async () => {
  const user = userEvent.setup();
  const answers = ["op1", "op2"];
  const { find } = api({
    "POST /api/v1/models/2/activate": () => ({
      status: 202,
      body: makeOperation({ operation_id: answers.shift() as string }),
    }),
  });
  const { events } = await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Make it live" }));
  act(() =>
    events.send(
      "operation",
      makeOperation({ step: "compile", state: "failed", error: takesTensors, updated_at: "2026-11-01T10:00:02Z" }),
    ),
  );
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("Model 2 takes tensors only.");
  expect(within(dialog).getByText(/predictions and the microphone are refused/)).toBeVisible();
  expect(within(dialog).getByText("Starter is still live.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Activate for tensors only" }));
  expect(find("POST /api/v1/models/2/activate").map((one) => one.search.get("tensors_only"))).toEqual([
    "false",
    "true",
  ]);
  expect(await within(dialog).findByText("Making Human v2 live")).toBeVisible();
  expect(within(dialog).queryByRole("alert")).toBeNull();
  expect(screen.queryByText("Human v2 did not go live")).toBeNull();
});

test("the reason why a permitted activation did not start takes the place of the refusal", async () => {
  const user = userEvent.setup();
  const answers = [
    { status: 202, body: makeOperation({ state: "failed", error: takesTensors }) },
    { status: 503, body: makeProblem({ detail: "The database does not answer." }) },
  ];
  api({ "POST /api/v1/models/2/activate": () => answers.shift() as { status: number; body: unknown } });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  const dialog = screen.getByRole("dialog");
  await user.click(await within(dialog).findByRole("button", { name: "Activate for tensors only" }));
  expect(await within(dialog).findByText("The database does not answer.")).toBeVisible();
});

test("a compiled model that takes tensors is named before it is activated", async () => {
  const user = userEvent.setup();
  const { last } = api({ "GET /api/v1/models/2/report": { spec: { ...makeSpec(["rain"]), input: "tensor" } } });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  expect(await screen.findByText(/it cannot score recordings/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Activate for tensors only" }));
  expect(last("POST /api/v1/models/2/activate")?.search.get("tensors_only")).toBe("true");
});

test("a live model that takes tensors is not offered for recordings, and the panel says why", async () => {
  const note = "The live model takes tensors only: it cannot score recordings.";
  const status = makeStatus();
  api({ "GET /api/v1/status": { ...status, live: { ...status.live, tensors_only: true, notes: [note] } } });
  await renderPage("/");
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText(note)).toBeVisible();
  expect(within(panel).queryByRole("link", { name: "Try it" })).toBeNull();
});

test("a closed dialog hands a running activation to the tray", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  const tray = screen.getByRole("region", { name: "Activations", hidden: true });
  expect(await screen.findByText("Making Human v2 live")).toBeVisible();
  expect(within(tray).queryByText("Activating Human v2")).toBeNull();
  await user.click(screen.getAllByRole("button", { name: "Close" }).at(-1) as HTMLElement);
  expect(await within(tray).findByText("Activating Human v2")).toBeVisible();
});

test("while events do not come, a running activation is polled to its end", async () => {
  const user = userEvent.setup();
  const done = makeOperation({ state: "succeeded", step: "swap", updated_at: "2026-11-01T10:00:05Z" });
  api({ "GET /api/v1/operations/op1": done });
  await renderPage("/");
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  expect(await screen.findByRole("heading", { name: "Human v2 is live" })).toBeVisible();
});
