import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { limits } from "../api/limits";
import { setScreen } from "../test/browser";
import { chooseOption } from "../test/choose";
import {
  makeBucket,
  makeHistoryEntry,
  makeMetrics,
  makeModel,
  makePolicyStatus,
  makeProblem,
  makeStatus,
} from "../test/fixtures";
import { renderPage } from "../test/render";
import { type Routes, serveApi } from "../test/server";

const activated = makeHistoryEntry({ history_id: 2, event: "activated", generation: 7, digest: "ab".repeat(32) });
const refused = makeHistoryEntry({
  history_id: 1,
  event: "refused",
  model_id: 2,
  model_name: "Lambda",
  detail: "Layer 'scale' is a Lambda layer.",
});

function api(own: Routes = {}) {
  return serveApi({
    "GET /api/v1/policies": makePolicyStatus(),
    "GET /api/v1/status": makeStatus(),
    "GET /api/v1/metrics/summary": makeMetrics(),
    "GET /api/v1/history": { entries: [activated, refused], next_cursor: null },
    "GET /api/v1/models": {
      models: [makeModel({ is_active: true }), makeModel({ model_id: 2, model_name: "Lambda" })],
      active_model: null,
      next_cursor: null,
      total: 2,
    },
    ...own,
  });
}

test("each time range offered is one that the server keeps, and is asked for", async () => {
  const user = userEvent.setup();
  const { last } = api();
  await renderPage("/operations");
  const range = await screen.findByRole("combobox", { name: "Time shown" });
  expect(last("GET /api/v1/metrics/summary")?.search.get("minutes")).toBe("15");
  const offered = within(range).getAllByRole<HTMLOptionElement>("option");
  expect(offered.map((option) => option.text)).toEqual(["5 minutes", "15 minutes", "30 minutes", "1 hour"]);
  for (const { value } of offered) {
    expect(Number(value)).toBeLessThanOrEqual(limits.metricsMinutes);
    await user.selectOptions(range, value);
    await waitFor(() => expect(last("GET /api/v1/metrics/summary")?.search.get("minutes")).toBe(value));
  }
});

test("the status names the live model, the database and each process", async () => {
  const failed = makeStatus().replicas.map((replica) => ({
    ...replica,
    replica: "host-2",
    state: "failed",
    error: makeProblem(),
    lag_seconds: 75,
  }));
  const loading = failed.map((replica) => ({
    ...replica,
    replica: "host-3",
    state: "loading",
    error: null,
    model_id: null,
    lag_seconds: null,
  }));
  const replicas = [...makeStatus().replicas, ...failed, ...loading];
  api({ "GET /api/v1/status": makeStatus({ replicas, in_sync: false }), "GET /api/v1/models/1": makeModel() });
  await renderPage("/operations");
  const status = await screen.findByRole("region", { name: "Status" });
  for (const link of within(status).getAllByRole("link", { name: "Starter" })) {
    expect(link).toHaveAttribute("href", "/models/1");
  }
  expect(within(status).getByText("SQLite, reachable")).toBeVisible();
  expect(within(status).getByText("1 h 1 min")).toBeVisible();
  expect(within(status).getByText("In sync").nextSibling).toHaveTextContent("No");
  expect(await within(status).findByRole("row", { name: /host-1 Starter Live 7 250 ms .*2026/ })).toBeVisible();
  expect(within(status).getByRole("row", { name: /host-2 Starter Failed 7 1 min 15 s .* Lambda layer/ })).toBeVisible();
  expect(within(status).getByRole("row", { name: /host-3 Nothing Loading 7 – .* –/ })).toBeVisible();
});

test("the status says how long ago the database was read", async () => {
  api({
    "GET /api/v1/status": makeStatus({
      registry_age_seconds: 75,
      problem: makeProblem({ code: "registry_outdated", title: "The registry was read too long ago" }),
    }),
  });
  const { unmount } = await renderPage("/operations");
  expect(await screen.findByText("1 min 15 s ago")).toBeVisible();
  expect(screen.getByRole("alert")).toHaveTextContent("The registry was read too long ago");
  unmount();
  api({ "GET /api/v1/status": makeStatus({ registry_age_seconds: null }) });
  await renderPage("/operations");
  expect((await screen.findByText("Database last read", { selector: "dt" })).nextSibling).toHaveTextContent("Never");
});

test("a database that is not reachable shows the problem and its remedy", async () => {
  const problem = makeProblem({ title: "The database does not answer", remedy: "Start PostgreSQL." });
  api({
    "GET /api/v1/status": makeStatus({
      live: null,
      database: { dialect: "postgresql", reachable: false, problem },
    }),
  });
  await renderPage("/operations");
  expect(await screen.findByRole("alert")).toHaveTextContent("Start PostgreSQL.");
  expect(screen.getByText("PostgreSQL, not reachable")).toBeVisible();
  expect(screen.getByText("Nothing")).toBeVisible();
});

test("the charts' numbers are readable as tables", async () => {
  const user = userEvent.setup();
  api({
    "GET /api/v1/metrics/summary": makeMetrics({
      buckets: [
        makeBucket({ latency_ms: { p50: 0.0042, p95: 9, p99: 12 } }),
        makeBucket({
          at: "2026-11-01T10:00:10Z",
          requests: 0,
          errors: 0,
          latency_ms: { p50: null, p95: null, p99: null },
          stages: {},
        }),
        makeBucket({ at: "2026-11-01T10:00:20Z", observed: false, requests: 0, errors: 0 }),
      ],
    }),
  });
  await renderPage("/operations");
  const rows = async (title: string) => {
    const figure = (await screen.findByRole("heading", { name: title })).closest("figure") as HTMLElement;
    await user.click(within(figure).getByText("As a table"));
    const [, ...body] = within(figure).getAllByRole("row");
    return body.map((row) =>
      within(row)
        .getAllByRole("cell")
        .slice(1)
        .map((cell) => cell.textContent),
    );
  };
  expect(await rows("Requests a second")).toEqual([
    ["–", "–"],
    ["0.00", "0.00"],
    ["2.00", "0.50"],
  ]);
  expect(screen.getByText(/this server did not run, so nothing was measured/)).toBeVisible();
  expect(await rows("Latency, ms")).toEqual([
    ["–", "–", "–"],
    ["–", "–", "–"],
    ["0.0042", "9.00", "12.00"],
  ]);
  expect(await rows("Latency by phase, median ms")).toEqual([
    ["–", "–", "–", "–"],
    ["–", "–", "–", "–"],
    ["2.00", "–", "–", "–"],
  ]);
});

test("errors are counted by code, and switches are listed from the history, latest first", async () => {
  const entries = [1, 2, 3, 4, 5]
    .map((generation) =>
      makeHistoryEntry({
        history_id: generation,
        event: "activated",
        at: `2026-11-01T10:0${generation}:00Z`,
        generation,
        model_name: `Model ${generation}`,
      }),
    )
    .concat(makeHistoryEntry({ history_id: 6, event: "deactivated", at: "2026-11-01T10:06:00Z", generation: 6 }))
    .reverse();
  api({
    "GET /api/v1/history": { entries, next_cursor: null },
    "GET /api/v1/metrics/summary": makeMetrics({ errors_by_code: { no_live_model: 3, too_long: 1200 }, swaps: [] }),
  });
  await renderPage("/operations");
  const errors = await screen.findByRole("region", { name: "Errors by code" });
  expect(
    within(errors)
      .getAllByRole("listitem")
      .map((item) => item.textContent),
  ).toEqual(["too_long1,200", "no_live_model3"]);
  expect(screen.getAllByText(/^Switch to/).map((item) => item.textContent)).toEqual([
    "Switch to Nothing",
    "Switch to Model 5",
    "Switch to Model 4",
    "Switch to Model 3",
    "Switch to Model 2",
  ]);
  expect(screen.getByText("1 earlier switch. The history below lists all.")).toBeVisible();
});

test.each([
  ["No requests in this time range", true],
  ["No requests since the server started", false],
])("a time range without requests says so: %s", async (sentence, observed) => {
  const quiet = makeBucket({ requests: 0, errors: 0 });
  api({
    "GET /api/v1/metrics/summary": makeMetrics({ buckets: [{ ...quiet, observed }, quiet] }),
    "GET /api/v1/history": { entries: [], next_cursor: null },
  });
  await renderPage("/operations");
  expect(await screen.findByText(new RegExp(sentence))).toBeVisible();
});

test("a moment that has passed is answered with the model, its digest and who made it go live", async () => {
  const at = "2026-11-01T12:00:00.000Z";
  const { last } = api({
    "GET /api/v1/history": {
      entries: [],
      next_cursor: null,
      live_at: {
        at,
        model_id: 1,
        model_name: "Starter",
        digest: "ab".repeat(32),
        precision: "int8",
        since: "2026-11-01T10:00:00Z",
        until: null,
        actor: "page",
        principal: { principal_id: 7, name: "anna", kind: "person" },
      },
    },
  });
  await renderPage("/operations");
  const local = new Date(Date.parse(at) - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  fireEvent.change(await screen.findByLabelText("Time, in your time zone"), { target: { value: local } });
  expect(await screen.findByText("Starter was live in int8.")).toBeVisible();
  expect(screen.getByText(/by anna \(the page\)/)).toBeVisible();
  expect(screen.getByText("abababababab")).toBeVisible();
  expect(last("GET /api/v1/history")?.search.get("at")).toBe(at);
});

test("a moment in the future is refused", async () => {
  const { find } = api();
  await renderPage("/operations");
  const field = await screen.findByLabelText("Time, in your time zone");
  const asked = find("GET /api/v1/history").length;
  fireEvent.change(field, { target: { value: "2100-01-01T12:00:00" } });
  expect(screen.getByText(/This time has not come yet/)).toBeVisible();
  expect(field).toBeInvalid();
  expect(screen.queryByText("Starter was live.")).toBeNull();
  expect(find("GET /api/v1/history")).toHaveLength(asked);
});

test("a time range in which every request failed shows the errors", async () => {
  api({
    "GET /api/v1/metrics/summary": makeMetrics({
      buckets: [makeBucket({ requests: 0 })],
      errors_by_code: { no_live_model: 5 },
    }),
  });
  await renderPage("/operations");
  expect(await screen.findByText("no_live_model")).toBeVisible();
});

test("statistics that cannot be fetched say why, and are fetched again on request", async () => {
  const user = userEvent.setup();
  let broken = true;
  api({
    "GET /api/v1/metrics/summary": () =>
      broken ? { status: 422, body: makeProblem({ title: "The request is not valid" }) } : { body: makeMetrics() },
  });
  await renderPage("/operations");
  expect(await screen.findByRole("alert")).toHaveTextContent("The request is not valid");
  broken = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("heading", { name: "Requests a second" })).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("before the first activation no model is named", async () => {
  api({
    "GET /api/v1/history": {
      entries: [],
      next_cursor: null,
      live_at: { at: "2020-01-01T12:00:00Z", model_id: null, since: null },
    },
  });
  await renderPage("/operations");
  fireEvent.change(await screen.findByLabelText("Time, in your time zone"), {
    target: { value: "2020-01-01T12:00:00" },
  });
  expect(await screen.findByText("The history begins later, or no model was ever live.")).toBeVisible();
});

test("the history is filtered by event and model on the server", async () => {
  const user = userEvent.setup();
  const { last } = api({
    "GET /api/v1/history": (request: Request) => ({
      body: {
        entries: new URL(request.url).searchParams.get("event") === "rolled_back" ? [] : [activated, refused],
        next_cursor: null,
      },
    }),
  });
  await renderPage("/operations");
  expect(await screen.findByRole("row", { name: /Refused Lambda.* Lambda layer/ })).toBeVisible();
  await chooseOption(user, "Model", "Lambda, v1.0");
  await waitFor(() => expect(last("GET /api/v1/history")?.search.get("model_id")).toBe("2"));
  await user.selectOptions(screen.getByRole("combobox", { name: "Event" }), "Rolled back to");
  expect(await screen.findByText("No entry matches.")).toBeVisible();
  expect(Object.fromEntries(last("GET /api/v1/history")?.search ?? [])).toMatchObject({
    event: "rolled_back",
    model_id: "2",
  });
});

test("older history is fetched from the cursor, and a narrow screen shows it as a list", async () => {
  setScreen("narrow");
  const user = userEvent.setup();
  api({
    "GET /api/v1/history": (request: Request) => ({
      body: new URL(request.url).searchParams.has("cursor")
        ? { entries: [refused], next_cursor: null }
        : { entries: [activated], next_cursor: "older" },
    }),
  });
  await renderPage("/operations");
  expect(await screen.findByText(/by the API. Generation 7/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show more" }));
  expect(await screen.findByText(/Layer 'scale' is a Lambda layer./)).toBeVisible();
  expect(screen.getByText(/Generation 7/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
});
