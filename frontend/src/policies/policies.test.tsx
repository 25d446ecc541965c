import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { AccessContext } from "../access/access";
import type { AccessState, ActivationRequest, Confirmation, PolicyStatus } from "../api/types";
import { EventFeed } from "../server-events/event-feed";
import { ServerEventsProvider } from "../server-events/provider";
import { makeModel, makePolicyStatus } from "../test/fixtures";
import { FakeConnection } from "../test/render";
import { serveApi } from "../test/server";
import { HeldNotices } from "./held-notices";
import { PoliciesSection, parseWindows } from "./section";

const FREEZE = { begins: "fri 16:00", ends: "mon 08:00", time_zone: "Europe/Berlin" };
const REQUEST: ActivationRequest = {
  request_id: 7,
  kind: "activate",
  model_id: 2,
  model_name: "Sirens",
  version: "v2",
  digest: "d".repeat(64),
  form: "float32",
  tensors_only: false,
  reason: "better recall",
  override_reason: null,
  generation: 1,
  state: "pending",
  requested_at: "2026-05-01T10:00:00Z",
  expires_at: "2026-05-02T10:00:00Z",
  requested_by: { principal_id: 1, name: "anna", kind: "person" },
  decided_at: null,
  decided_by: null,
  decision_reason: null,
};
const CONFIRMATION: Confirmation = {
  generation: 3,
  model_id: 2,
  model_name: "Sirens",
  confirm_by: "2026-05-01T10:30:00Z",
  seconds_left: 125,
  return_model_id: 1,
  return_model_name: "Horns",
  return_form: "float32",
};

const connections: FakeConnection[] = [];
function connect(url: string): FakeConnection {
  connections.push(new FakeConnection(url));
  return connections.at(-1) as FakeConnection;
}

function renderWith(status: Partial<PolicyStatus>, routes: object = {}, permissions: AccessState["permissions"] = {}) {
  const server = serveApi({ "GET /api/v1/policies": makePolicyStatus(status), ...routes });
  const access = { access: "required", signed_in: true, permissions } as unknown as AccessState;
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <AccessContext value={access}>
        <ServerEventsProvider feed={new EventFeed(connect)}>
          <HeldNotices />
          <PoliciesSection />
        </ServerEventsProvider>
      </AccessContext>
    </QueryClientProvider>,
  );
  return server;
}

it("shows who asks for what, and approves it after a question", async () => {
  const approve = "POST /api/v1/policies/requests/7/approve";
  const sirens = makeModel({ model_id: 2, model_name: "Sirens", accuracy: 0.95 });
  const horns = makeModel({ is_active: true });
  const server = renderWith(
    { requests: [REQUEST] },
    {
      [approve]: { operation_id: "a", state: "running" },
      "GET /api/v1/models/2": sirens,
      "GET /api/v1/models": { models: [sirens], active_model: horns, next_cursor: null, total: 1 },
    },
  );
  expect(await screen.findByText("anna asks to make Sirens v2 live.")).toBeVisible();
  expect(screen.getByText("better recall")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Approve Sirens v2" }));
  expect(server.find(approve)).toHaveLength(0);
  const dialog = screen.getByRole("dialog", { name: "Approve Sirens v2?" });
  expect(within(dialog).getByText(new RegExp(REQUEST.digest))).toBeVisible();
  expect(await within(dialog).findByRole("row", { name: "Accuracy 87.3% 95.0%" })).toBeVisible();
  await userEvent.click(within(dialog).getByRole("button", { name: "Approve and make it live" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(server.last(approve)?.search.get("wait")).toBe("false");
});

it("says why nobody approves their own request, and declines it", async () => {
  const problem = {
    type: "about:blank",
    status: 403,
    code: "approval_refused",
    title: "This caller cannot give the second word",
    detail: "The request 7 was made by the person for whom anna speaks.",
    remedy: "Ask another person: `understudy policy`.",
  };
  const server = renderWith(
    { requests: [REQUEST] },
    {
      "POST /api/v1/policies/requests/7/approve": () => ({ status: 403, body: problem }),
      "POST /api/v1/policies/requests/7/decline": REQUEST,
    },
  );
  await userEvent.click(await screen.findByRole("button", { name: "Approve Sirens v2" }));
  await userEvent.click(screen.getByRole("button", { name: "Approve and make it live" }));
  expect(await screen.findByText(problem.detail)).toBeVisible();
  expect(screen.getByText(/Let another person approve it/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  await userEvent.click(screen.getByRole("button", { name: "Decline Sirens v2" }));
  await waitFor(() => expect(server.find("POST /api/v1/policies/requests/7/decline")).toHaveLength(1));
});

it("counts down by the server's time and confirms the generation that it shows", async () => {
  const server = renderWith({ confirmation: CONFIRMATION }, { "POST /api/v1/policies/confirm": {} });
  expect(
    await screen.findByText(/Sirens is on trial\. Unless somebody confirms it, Horns is live again/),
  ).toBeVisible();
  expect(screen.getByText(/^2 min/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Keep Sirens" }));
  await waitFor(() => expect(server.last("POST /api/v1/policies/confirm")?.search.get("generation")).toBe("3"));
});

it("says that the time is over, and which freeze holds", async () => {
  renderWith({ confirmation: { ...CONFIRMATION, seconds_left: 0 }, freeze: FREEZE });
  expect(await screen.findByText(/A server makes Horns live again/)).toBeVisible();
  expect(screen.getByText("No model is activated in this freeze: fri 16:00 - mon 08:00 Europe/Berlin.")).toBeVisible();
});

it("does not claim a return that it cannot know of while the server does not answer", async () => {
  renderWith({ confirmation: CONFIRMATION }, { "GET /api/v1/status": () => ({ status: 503, body: {} }) });
  expect(await screen.findByText(/^2 min/)).toBeVisible();
  act(() => connections.at(-1)?.send("error"));
  expect(await screen.findByText(/Whether somebody confirmed it, or Horns is live again, is not known/)).toBeVisible();
  expect(screen.queryByText(/^2 min/)).toBeNull();
});

it("names the keys of which one has to sign", async () => {
  const signers = ["release", "research"].map((name) => ({ name, public_key: "-" }));
  renderWith({ policies: { ...makePolicyStatus().policies, signers } });
  expect(await screen.findByText("Needed, by release or research")).toBeVisible();
});

it("changes the policies as an admin and shows the server's refusal", async () => {
  const refusal = {
    type: "about:blank",
    status: 409,
    code: "policy_refused",
    title: "The policy cannot hold",
    detail: "1 people may activate models, and this policy needs two.",
    remedy: "Add another one first.",
  };
  const server = renderWith({}, { "PATCH /api/v1/policies": () => ({ status: 409, body: refusal }) });
  await userEvent.click(await screen.findByRole("button", { name: "Change the policies" }));
  await userEvent.click(screen.getByRole("checkbox", { name: /A second person/ }));
  await userEvent.type(screen.getByLabelText("Freezes"), "fri 16:00{Enter}");
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await userEvent.clear(screen.getByLabelText("Freezes"));
  await userEvent.type(screen.getByLabelText("Freezes"), "fri 16:00 - mon 08:00 Europe/Berlin");
  await userEvent.type(screen.getByLabelText(/Return to the model before/), "30");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText(refusal.detail)).toBeVisible();
  expect(JSON.parse(server.last("PATCH /api/v1/policies")?.body ?? "")).toEqual({
    four_eyes: true,
    request_hours: 24,
    freezes: [FREEZE],
    confirm_minutes: 30,
  });
});

it("says to others why they cannot change the policies", async () => {
  renderWith({}, {}, { policies: { allowed: false, reason: "Your role is operator." } });
  const button = await screen.findByRole("button", { name: /Change the policies/ });
  expect(button).toHaveAttribute("aria-disabled", "true");
  expect(button).toHaveAttribute("title", "Your role is operator.");
});

it("reads spans in each form, and no others", () => {
  expect(parseWindows("\n22:00 - 06:00 UTC \n2026-12-20 00:00 - 2027-01-05 08:00 Asia/Tokyo\n")).toEqual([
    { begins: "22:00", ends: "06:00", time_zone: "UTC" },
    { begins: "2026-12-20 00:00", ends: "2027-01-05 08:00", time_zone: "Asia/Tokyo" },
  ]);
  expect(parseWindows("fri 16:00 mon 08:00")).toBeUndefined();
});
