import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { OperationTray } from "../activation/operation-tray";
import { makeHistoryEntry, makeModel, makeOperation, makeProblem, makeSpec } from "../test/fixtures";
import { renderPage } from "../test/render";
import { serveApi } from "../test/server";
import { ModelsPage } from "./page";

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

function page() {
  return renderPage(
    <>
      <ModelsPage />
      <OperationTray />
    </>,
  );
}

function wide() {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => {}, removeEventListener: () => {} }));
}

test("the live model leads: name, since when, by whom, accuracy", async () => {
  wide();
  api();
  await page();
  const panel = await screen.findByRole("region", { name: "Live now" });
  expect(await within(panel).findByText("Starter")).toBeVisible();
  expect(await within(panel).findByText(/by the command line/)).toBeVisible();
  expect(within(panel).getByText("87.3%")).toBeVisible();
});

test("a refused model says why in its row", async () => {
  wide();
  api();
  await page();
  expect(await screen.findByText("Layer 'scale' is a Lambda layer.")).toBeVisible();
  expect(screen.getByText("Refused")).toBeVisible();
});

test("activating shows which labels come and go, then follows the steps to the end", async () => {
  wide();
  const user = userEvent.setup();
  const { asked } = api();
  const { source } = await page();
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("siren")).toBeVisible();
  expect(within(dialog).getByText("dog")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Make it live" }));
  expect(asked.find((one) => one.key.startsWith("POST"))?.search.get("wait")).toBe("false");
  act(() => source.send("operation", makeOperation({ step: "warm_up", updated_at: "2026-11-01T10:00:01Z" })));
  expect(within(dialog).getByText("Warm up").closest("li")).toHaveAttribute("aria-current", "step");
  act(() =>
    source.send("operation", makeOperation({ step: "swap", state: "succeeded", updated_at: "2026-11-01T10:00:02Z" })),
  );
  expect(await within(dialog).findByText("Human v2 is live")).toBeVisible();
});

test("a failed activation gives the reason, the remedy and what is still live", async () => {
  wide();
  const user = userEvent.setup();
  api();
  const { source } = await page();
  await user.click(await screen.findByRole("button", { name: "Activate Human v2" }));
  await user.click(await screen.findByRole("button", { name: "Make it live" }));
  act(() =>
    source.send(
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
  wide();
  const { asked } = api();
  const { source } = await page();
  await screen.findByText("Human v2");
  act(() => source.send("operation", makeOperation()));
  expect(await screen.findByText("Activating Human v2")).toBeVisible();
  const before = asked.filter((one) => one.key === "GET /api/v1/models").length;
  await act(async () => source.send("stage", { generation: 8, model: null, at: "2026-11-01T10:00:00Z" }));
  expect(asked.filter((one) => one.key === "GET /api/v1/models").length).toBeGreaterThan(before);
});

test("search goes to the server, and an empty answer offers the way back", async () => {
  wide();
  const user = userEvent.setup();
  const { asked } = api({
    "GET /api/v1/models": (request: Request) => {
      const none = new URL(request.url).searchParams.get("q") === "zebra";
      return {
        body: { models: none ? [] : [live, other], active_model: live, next_cursor: null, total: none ? 0 : 2 },
      };
    },
  });
  await page();
  await user.type(await screen.findByRole("searchbox", { name: "Search" }), "zebra");
  expect(await screen.findByText("Nothing matches")).toBeVisible();
  expect(asked.some((one) => one.search.get("q") === "zebra")).toBe(true);
  await user.click(screen.getByRole("button", { name: "Clear the search" }));
  expect(await screen.findByText("Human v2")).toBeVisible();
});

test("deleting says that the file stays", async () => {
  wide();
  const user = userEvent.setup();
  const { asked } = api({ "DELETE /api/v1/models/2": { model_id: 2, detail: "" } });
  await page();
  await user.click(await screen.findByRole("button", { name: "More actions for Human v2" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  expect(await screen.findByText("The file models/starter.keras stays where it is.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Delete the model" }));
  expect(asked.some((one) => one.key === "DELETE /api/v1/models/2")).toBe(true);
});

test("a server that does not answer is named, with what to do", async () => {
  wide();
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
  await page();
  expect(await screen.findByText("The server does not answer")).toBeVisible();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  expect(screen.queryByText("No model is live")).toBeNull();
});

test("registering a file from the models folder sends its path and labels", async () => {
  wide();
  const user = userEvent.setup();
  const { asked } = api({
    "GET /api/v1/models/files": {
      files: [
        { file_path: "models/new_head.keras", bytes: 420_000, modified_at: "2026-11-01T10:00:00Z", kind: "keras" },
      ],
    },
    "POST /api/v1/models": () => ({ status: 201, body: other }),
  });
  await page();
  await user.click(await screen.findByRole("button", { name: "Register a model" }));
  await user.click(await screen.findByRole("button", { name: /models\/new_head.keras/ }));
  expect(screen.getByLabelText("Name")).toHaveValue("new head");
  await user.type(screen.getByLabelText("Labels"), "dog, rain");
  await user.click(screen.getByRole("button", { name: "Register" }));
  const body = JSON.parse(asked.find((one) => one.key === "POST /api/v1/models")?.body ?? "{}");
  expect(body).toMatchObject({
    file_path: "models/new_head.keras",
    model_name: "new head",
    spec: { labels: ["dog", "rain"] },
  });
});
