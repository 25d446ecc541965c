import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { AccessContext } from "../access/access";
import { AccountPage } from "../account/page";
import type { AccessState, MachineKey, User } from "../api/types";
import { setNavigator, setScreen } from "../test/browser";
import { serveApi } from "../test/server";
import { makePassword } from "./make-password";
import { PeoplePage } from "./page";

const REFUSAL = "Your role is viewer. To manage people and keys you need the role admin.";
const ADMIN: AccessState = {
  access: "required",
  signed_in: true,
  principal_id: 1,
  kind: "person",
  name: "root",
  role: "admin",
  source: null,
  by_session: true,
  sign_in_with: null,
  permissions: {},
};
const ROOT: User = {
  principal_id: 1,
  kind: "person",
  name: "root",
  role: "admin",
  disabled: false,
  created_at: "2026-05-01T10:00:00Z",
  issuer: null,
  subject: null,
};
const ADA: User = { ...ROOT, principal_id: 2, name: "ada", role: "viewer" };
const GRACE: User = { ...ROOT, principal_id: 3, name: "grace", kind: "identity", issuer: "https://id.example" };
const KEY: MachineKey = {
  principal_id: 4,
  name: "gate",
  prefix: "usk_abcdefgh",
  role: "device",
  source: "gate-3",
  created_at: "2026-05-01T10:00:00Z",
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};
const SECRET = "usk_jjjjkkkk_secret";

const refuse = (code: string, detail: string) => ({
  status: 409,
  body: { type: "about:blank", code, title: "Refused", status: 409, detail, remedy: "Make another one." },
});

function renderPeople(access: AccessState = ADMIN, Page = PeoplePage) {
  let keys = [KEY];
  const server = serveApi({
    "GET /api/v1/users": { users: [ROOT, ADA, GRACE] },
    "POST /api/v1/users": { ...ADA, principal_id: 9, name: "new" },
    "PATCH /api/v1/users/1": () => refuse("last_admin", "root is the only admin."),
    "PATCH /api/v1/users/2": ADA,
    "DELETE /api/v1/users/2/sessions": ADA,
    "GET /api/v1/keys": () => ({ body: { keys } }),
    "POST /api/v1/keys": { ...KEY, principal_id: 5, name: "ci", role: "viewer", source: null, key: SECRET },
    "PATCH /api/v1/keys/usk_abcdefgh": KEY,
    "DELETE /api/v1/keys/usk_abcdefgh": () => {
      keys = [{ ...KEY, revoked_at: "2026-05-02T10:00:00Z" }];
      return { body: keys[0] };
    },
    "GET /api/v1/account/sessions": {
      sessions: [
        { ...SESSION, session_id: "a".repeat(16), is_current: true },
        { ...SESSION, session_id: "b".repeat(16), is_current: false },
      ],
    },
    [`DELETE /api/v1/account/sessions/${"b".repeat(16)}`]: { sessions: [] },
    "PUT /api/v1/account/password": { sessions: [] },
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <AccessContext value={access}>
        <main id="content">
          <Page />
        </main>
      </AccessContext>
    </QueryClientProvider>,
  );
  return { server, user: userEvent.setup() };
}

const SESSION = {
  created_at: "2026-05-01T10:00:00Z",
  last_seen_at: "2026-05-01T11:00:00Z",
  expires_at: "2026-05-08T10:00:00Z",
};

const sent = (server: ReturnType<typeof serveApi>, key: string) => JSON.parse(server.last(key)?.body ?? "");

describe("people and keys", () => {
  it("says to a viewer why it cannot be changed, and asks for nothing", () => {
    const permissions = { manage_access: { allowed: false, reason: REFUSAL } };
    const { server } = renderPeople({ ...ADMIN, role: "viewer", permissions });
    expect(screen.getByRole("status")).toHaveTextContent(REFUSAL);
    expect(server.requests).toEqual([]);
  });

  it("names the command for the first admin while access is open", () => {
    renderPeople({ ...ADMIN, access: "open", signed_in: false });
    expect(screen.getByText("understudy users add NAME --role admin")).toBeVisible();
  });

  it("adds a person with a password that is shown once", async () => {
    const { server, user } = renderPeople();
    await user.click(await screen.findByRole("button", { name: "Add a person" }));
    const dialog = screen.getByRole("dialog");
    await user.type(within(dialog).getByLabelText("Name"), "new ");
    await user.selectOptions(within(dialog).getByLabelText("Role"), "operator");
    await user.click(within(dialog).getByRole("button", { name: "Add a person" }));
    expect(await screen.findByRole("dialog", { name: "The password of new" })).toBeVisible();
    const { password, ...rest } = sent(server, "POST /api/v1/users");
    expect(rest).toEqual({ name: "new", role: "operator" });
    expect(password).toMatch(/^(\w{5}-){3}\w{5}$/);
    expect(screen.getByText(password)).toBeVisible();
    await user.keyboard("{Escape}");
    expect(screen.getByText(password)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "I have copied it" }));
    expect(screen.queryByText(password)).toBeNull();
  });

  it("adds a person with a password that is typed, and does not show it", async () => {
    const { server, user } = renderPeople();
    await user.click(await screen.findByRole("button", { name: "Add a person" }));
    const dialog = screen.getByRole("dialog");
    await user.type(within(dialog).getByLabelText("Name"), "new");
    await user.click(within(dialog).getByLabelText(/Type one/));
    await user.type(within(dialog).getByLabelText("Password"), "correct horse battery");
    await user.click(within(dialog).getByRole("button", { name: "Add a person" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(sent(server, "POST /api/v1/users").password).toBe("correct horse battery");
  });

  it("shows why the server refused, and changes nothing", async () => {
    const { user } = renderPeople();
    await user.click(await screen.findByRole("button", { name: "Actions for root" }));
    await user.click(await screen.findByRole("menuitem", { name: "Change role" }));
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("root is the only admin.");
    expect(screen.getByRole("dialog")).toBeVisible();
  });

  it.each([
    ["Sign out everywhere", "DELETE /api/v1/users/2/sessions", ""],
    ["Disable", "PATCH /api/v1/users/2", '{"disabled":true}'],
  ])("asks before: %s", async (action, request, body) => {
    const { server, user } = renderPeople();
    await user.click(await screen.findByRole("button", { name: "Actions for ada" }));
    await user.click(await screen.findByRole("menuitem", { name: action }));
    expect(server.find(request)).toEqual([]);
    await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: action }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(server.last(request)?.body).toBe(body);
  });

  it("does not offer the role and the password of an identity, and says why", async () => {
    const { user } = renderPeople();
    await user.click(await screen.findByRole("button", { name: "Actions for grace" }));
    const role = await screen.findByRole("menuitem", { name: /^Change role.*The role comes from the provider/ });
    expect(role).toHaveAttribute("aria-disabled", "true");
    await user.click(role);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("changes the limits of a key; an empty one is that of its role", async () => {
    const { server, user } = renderPeople();
    await user.click(await screen.findByRole("button", { name: "Limits gate" }));
    await user.type(screen.getByLabelText("Requests a second"), "2.5");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    const body = { requests_per_second: 2.5, concurrent_requests: null };
    expect(sent(server, "PATCH /api/v1/keys/usk_abcdefgh")).toEqual(body);
  });

  it("creates a key and shows its secret once, with a copy button", async () => {
    const { server, user } = renderPeople();
    const writeText = vi.fn(() => Promise.resolve());
    setNavigator("clipboard", { writeText });
    await user.click(await screen.findByRole("button", { name: "Create a key" }));
    const dialog = screen.getByRole("dialog");
    await user.type(within(dialog).getByLabelText("Name"), "ci");
    await user.selectOptions(within(dialog).getByLabelText("Role"), "device");
    await user.type(within(dialog).getByLabelText("Source"), "gate-4");
    await user.selectOptions(within(dialog).getByLabelText("Expires"), "In 30 days");
    await user.click(within(dialog).getByRole("button", { name: "Create a key" }));
    expect(await screen.findByText(SECRET)).toBeVisible();
    expect(sent(server, "POST /api/v1/keys")).toEqual({
      name: "ci",
      role: "device",
      source: "gate-4",
      expires_days: 30,
    });
    await user.click(screen.getByRole("button", { name: "Copy Key" }));
    expect(writeText).toHaveBeenCalledWith(SECRET);
    await user.click(screen.getByRole("button", { name: "I have copied it" }));
    expect(screen.queryByText(SECRET)).toBeNull();
  });

  it.each(["wide", "narrow"] as const)("revokes a key by its prefix on a %s screen", async (screenWidth) => {
    setScreen(screenWidth);
    const { user } = renderPeople();
    expect(await screen.findByText("usk_abcdefgh…")).toBeVisible();
    expect(screen.getByText("Only for the source gate-3")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Revoke gate" }));
    await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Revoke" }));
    expect(await screen.findByText("Revoked")).toBeVisible();
    expect(screen.getByRole("button", { name: "Revoke gate" })).toBeDisabled();
  });

  it("makes passwords that differ and have only plain characters", () => {
    const made = new Set(Array.from({ length: 50 }, makePassword));
    expect(made.size).toBe(50);
    for (const password of made) expect(password).toMatch(/^([a-kmnp-zA-HJ-NP-Z2-9]{5}-){3}[a-kmnp-zA-HJ-NP-Z2-9]{5}$/);
  });
});

describe("my account", () => {
  it("changes the password when the new one was typed twice alike", async () => {
    const { server, user } = renderPeople(ADMIN, AccountPage);
    await user.type(screen.getByLabelText("Current password"), "the old password");
    await user.type(screen.getByLabelText("New password"), "the new password");
    await user.type(screen.getByLabelText("New password again"), "the new passwort");
    await user.click(screen.getByRole("button", { name: "Change the password" }));
    expect(screen.getByText("The two are not the same.")).toBeVisible();
    expect(server.find("PUT /api/v1/account/password")).toEqual([]);
    await user.clear(screen.getByLabelText("New password again"));
    await user.type(screen.getByLabelText("New password again"), "the new password");
    await user.click(screen.getByRole("button", { name: "Change the password" }));
    expect(await screen.findByText(/all other browsers are signed out/)).toBeVisible();
    expect(sent(server, "PUT /api/v1/account/password")).toEqual({
      current_password: "the old password",
      new_password: "the new password",
    });
    expect(screen.getByLabelText("Current password")).toHaveValue("");
  });

  it("ends the session of another browser, and not one's own by the same button", async () => {
    const { server, user } = renderPeople(ADMIN, AccountPage);
    const other = await screen.findByRole("button", { name: "Sign out there" });
    expect(screen.getByText("This browser")).toBeVisible();
    await user.click(other);
    await waitFor(() => expect(server.last(`DELETE /api/v1/account/sessions/${"b".repeat(16)}`)).toBeDefined());
  });

  it("has no password form for an identity", async () => {
    renderPeople({ ...ADMIN, kind: "identity" }, AccountPage);
    expect(screen.getByText(/there is no password to change here/)).toBeVisible();
    expect(screen.queryByLabelText("Current password")).toBeNull();
  });
});
