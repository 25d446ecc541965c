import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { makeMetrics, makeStatus } from "../test/fixtures";
import { renderPage } from "../test/render";
import { type Routes, serveApi } from "../test/server";

function api(own: Routes = {}) {
  return serveApi({
    "GET /api/v1/models": { models: [], active_model: null, next_cursor: null, total: 0 },
    "GET /api/v1/demo-clips": { clips: [] },
    "GET /api/v1/status": makeStatus(),
    "GET /api/v1/metrics/summary": makeMetrics(),
    "GET /api/v1/history": { entries: [], next_cursor: null },
    ...own,
  });
}

test("the navigation leads to each page, marks it and names it in the title", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/");
  const navigation = screen.getByRole("navigation", { name: "Pages" });
  for (const [link, heading] of [
    ["Try it", "Try it"],
    ["Microphone", "Microphone"],
    ["Operations", "Operations"],
    ["Models", "Models"],
  ] as const) {
    await user.click(within(navigation).getByRole("link", { name: link }));
    expect(await screen.findByRole("heading", { level: 1, name: heading })).toBeInTheDocument();
    expect(within(navigation).getByRole("link", { name: link })).toHaveAttribute("aria-current", "page");
    expect(document.title).toBe(`${link} · Understudy`);
  }
});

test("the chosen theme is applied and kept, and the system's returns", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/");
  const choose = async (theme: string) => {
    await user.click(screen.getByRole("button", { name: "Theme" }));
    await user.click(await screen.findByRole("menuitemradio", { name: theme }));
  };
  await choose("Dark");
  expect(document.documentElement.dataset.theme).toBe("dark");
  expect(localStorage.getItem("understudy-theme")).toBe("dark");
  await user.click(screen.getByRole("button", { name: "Theme" }));
  expect(await screen.findByRole("menuitemradio", { name: "Dark" })).toBeChecked();
  await user.keyboard("{Escape}");
  await choose("Light");
  expect(document.documentElement.dataset.theme).toBe("light");
  await choose("System");
  expect(localStorage.getItem("understudy-theme")).toBeNull();
  expect(document.documentElement.dataset.theme).toBe("light");
});

test("the bar says whether the page is connected to the server's events", async () => {
  api();
  const { events } = await renderPage("/");
  const bar = screen.getByRole("banner");
  expect(within(bar).getByRole("status")).toHaveTextContent("Connecting");
  act(() => events.send("open"));
  expect(within(bar).getByRole("status")).toHaveTextContent("Connected");
  act(() => events.send("error"));
  expect(within(bar).getByRole("status")).toHaveTextContent(/^Offline. Last known at \d/);
});

test("while events do not arrive but the server answers, the page says that it asks", async () => {
  const { find } = api();
  const { events } = await renderPage("/");
  act(() => events.send("open"));
  const before = find("GET /api/v1/models").length;
  act(() => events.send("error"));
  const bar = within(screen.getByRole("banner"));
  await waitFor(() => expect(bar.getByRole("status")).toHaveTextContent("Updated every 5 s"));
  await waitFor(() => expect(find("GET /api/v1/models").length).toBeGreaterThan(before));
});

test("a server that answers again is connected to at once", async () => {
  let answers = false;
  api({ "GET /api/v1/status": () => (answers ? { body: makeStatus() } : { status: 503, body: {} }) });
  const { events, connections } = await renderPage("/");
  vi.useFakeTimers();
  act(() => events.send("open"));
  act(() => events.send("error"));
  const opened = connections.length;
  await act(() => vi.advanceTimersByTimeAsync(4000));
  expect(connections).toHaveLength(opened);
  answers = true;
  await act(() => vi.advanceTimersByTimeAsync(5000));
  vi.useRealTimers();
  expect(connections.length).toBeGreaterThan(opened);
});

test("a server that cannot read its database leaves the last known state", async () => {
  const database = { dialect: "sqlite" as const, reachable: false, problem: null };
  const { find } = api({ "GET /api/v1/status": makeStatus({ database }) });
  const { events } = await renderPage("/");
  act(() => events.send("open"));
  act(() => events.send("error"));
  await waitFor(() => expect(find("GET /api/v1/status").length).toBeGreaterThan(0));
  expect(within(screen.getByRole("banner")).getByRole("status")).toHaveTextContent("Last known");
});

test("after an outage the page fetches again what it shows", async () => {
  const { find } = api();
  const { events } = await renderPage("/");
  await screen.findByText("No models yet");
  act(() => events.send("open"));
  act(() => events.send("error"));
  const before = find("GET /api/v1/models").length;
  await act(async () => events.send("open"));
  expect(find("GET /api/v1/models").length).toBeGreaterThan(before);
});

test("an unknown address leads back to the models", async () => {
  const user = userEvent.setup();
  api();
  const { getAddress } = await renderPage("/nowhere");
  expect(await screen.findByRole("heading", { name: "There is no such page" })).toBeVisible();
  await user.click(screen.getByRole("link", { name: "Go to the models" }));
  expect(await screen.findByText("No models yet")).toBeVisible();
  expect(getAddress()).toBe("/");
});

test("a page that fails while it renders shows the error, and the navigation stays", async () => {
  const user = userEvent.setup();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  let broken = true;
  api({ "GET /api/v1/demo-clips": () => ({ body: broken ? { clips: "none" } : { clips: [] } }) });
  await renderPage("/try");
  expect(await screen.findByRole("alert")).toHaveTextContent("The page failed");
  expect(screen.getByRole("link", { name: "Operations" })).toBeVisible();
  broken = false;
  await user.click(screen.getByRole("link", { name: "Operations" }));
  expect(await screen.findByRole("heading", { level: 1, name: "Operations" })).toBeVisible();
});

test("the first link skips to the content", async () => {
  const user = userEvent.setup();
  api();
  await renderPage("/");
  await user.tab();
  expect(screen.getByRole("link", { name: "Skip to content" })).toHaveFocus();
  expect(screen.getByRole("link", { name: "Skip to content" })).toHaveAttribute("href", "#content");
  expect(screen.getByRole("main")).toHaveAttribute("id", "content");
});
