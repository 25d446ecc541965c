import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterContextProvider } from "@tanstack/react-router";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { AccessState } from "../api/types";
import { makeRouter } from "../router";
import { serveApi } from "../test/server";
import { Button } from "../ui/button";
import { Menu } from "../ui/menu";
import { AccountMenu } from "./account-menu";
import { AccessProvider } from "./provider";

const REASON = "Your role is viewer. To activate a model you need the role operator.";

const STRANGER: AccessState = {
  access: "required",
  signed_in: false,
  principal_id: null,
  kind: null,
  name: null,
  role: null,
  source: null,
  by_session: false,
  sign_in_with: null,
  permissions: { activate: { allowed: false, reason: "Sign in first." } },
};
const VIEWER: AccessState = {
  ...STRANGER,
  signed_in: true,
  principal_id: 3,
  kind: "person",
  name: "ada",
  role: "viewer",
  by_session: true,
  permissions: {
    activate: { allowed: false, reason: REASON },
    predict: { allowed: true, reason: null },
    manage_access: { allowed: false, reason: "To manage people and keys you need the role admin." },
  },
};
const OPEN: AccessState = { ...STRANGER, access: "open", permissions: { activate: { allowed: true, reason: null } } };

function renderWith(state: AccessState, onActivate = () => {}) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  let current = state;
  const server = serveApi({
    "GET /api/v1/session": () => ({ body: current }),
    "POST /api/v1/session": async (request: Request) => {
      const { password } = (await request.json()) as { password: string };
      if (password !== "right") {
        return {
          status: 401,
          body: { code: "not_signed_in", title: "Not signed in", detail: "Wrong.", remedy: "Again." },
        };
      }
      current = VIEWER;
      return { body: VIEWER };
    },
    "DELETE /api/v1/session": () => {
      current = STRANGER;
      return { body: STRANGER };
    },
    "GET /api/v1/status": () => ({ status: 401, body: { code: "not_signed_in", detail: "Ended." } }),
  });
  const router = makeRouter(createMemoryHistory());
  render(
    <QueryClientProvider client={client}>
      <RouterContextProvider router={router}>
        <AccessProvider>
          <AccountMenu />
          <Button action="activate" onClick={onActivate}>
            Activate
          </Button>
          <Button action="predict">Predict</Button>
          <Menu label="More" items={[{ label: "Remove", onSelect: onActivate, action: "activate" }]} />
        </AccessProvider>
      </RouterContextProvider>
    </QueryClientProvider>,
  );
  return { server, client, router, endSession: () => (current = STRANGER) };
}

describe("access", () => {
  it("shows the page without a sign-in while access is open", async () => {
    renderWith(OPEN);
    expect(await screen.findByRole("button", { name: "Activate" })).not.toHaveAttribute("aria-disabled");
    expect(screen.queryByText("Sign out")).toBeNull();
  });

  it("shows the page when the server does not say who is signed in", async () => {
    const client = new QueryClient();
    serveApi({});
    render(
      <QueryClientProvider client={client}>
        <AccessProvider>the page</AccessProvider>
      </QueryClientProvider>,
    );
    expect(await screen.findByText("the page")).toBeVisible();
  });

  it("signs in, and says what was wrong with the attempt before", async () => {
    const user = userEvent.setup();
    const { server } = renderWith(STRANGER);
    expect(await screen.findByText("Understudy")).toBeVisible();
    await user.type(await screen.findByLabelText("Name"), "ada");
    await user.type(screen.getByLabelText("Password"), "wrong");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Wrong.");
    await user.clear(screen.getByLabelText("Password"));
    await user.type(screen.getByLabelText("Password"), "right");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("button", { name: /ada, viewer/ })).toBeVisible();
    expect(JSON.parse(server.last("POST /api/v1/session")?.body ?? "")).toEqual({ name: "ada", password: "right" });
  });

  it("leads to the provider, and back to the page on screen", async () => {
    window.history.replaceState(null, "", "/models/3?tab=report");
    renderWith({ ...STRANGER, sign_in_with: "Example" });
    const link = await screen.findByRole("link", { name: "Sign in with Example" });
    expect(link).toHaveAttribute(
      "href",
      expect.stringMatching(/\/api\/v1\/session\/oidc\?next=%2Fmodels%2F3%3Ftab%3Dreport$/),
    );
    window.history.replaceState(null, "", "/");
  });

  it.each([
    ["no_role", "Your account has no role here"],
    ["unheard_of", "The sign-in at the provider failed"],
  ])("says why the sign-in at the provider failed: %s", async (code, title) => {
    window.history.replaceState(null, "", `/?sign_in_problem=${code}`);
    renderWith({ ...STRANGER, sign_in_with: "Example" });
    expect(await screen.findByRole("alert")).toHaveTextContent(title);
    expect(screen.getByRole("link", { name: "Sign in with Example" })).toHaveAttribute(
      "href",
      expect.stringMatching(/next=%2F$/),
    );
    window.history.replaceState(null, "", "/");
  });

  it("disables what the role may not do, says why, and does not do it", async () => {
    const user = userEvent.setup();
    let done = 0;
    renderWith(VIEWER, () => {
      done += 1;
    });
    const button = await screen.findByRole("button", { name: /^Activate.*Your role is viewer/ });
    expect(button).toHaveAttribute("aria-disabled", "true");
    expect(button).toHaveAttribute("title", REASON);
    await user.click(button);
    expect(screen.getByRole("button", { name: "Predict" })).not.toHaveAttribute("aria-disabled");
    await user.click(screen.getByRole("button", { name: "More" }));
    await user.click(await screen.findByRole("menuitem", { name: /^Remove.*Your role is viewer/ }));
    expect(done).toBe(0);
  });

  it("leads to one's own account, and says why not to people and keys", async () => {
    const user = userEvent.setup();
    const { router } = renderWith(VIEWER);
    await user.click(await screen.findByRole("button", { name: /ada, viewer/ }));
    await user.click(await screen.findByRole("menuitem", { name: /^People and keys.*you need the role admin/ }));
    expect(router.state.location.pathname).toBe("/");
    await user.click(screen.getByRole("menuitem", { name: "My account" }));
    await waitFor(() => expect(router.history.location.pathname).toBe("/account"));
  });

  it.each([
    ["Sign out", "false"],
    ["Sign out everywhere", "true"],
  ])("returns to the sign-in after: %s", async (label, everywhere) => {
    const user = userEvent.setup();
    const { server } = renderWith(VIEWER);
    await user.click(await screen.findByRole("button", { name: /ada, viewer/ }));
    await user.click(await screen.findByRole("menuitem", { name: label }));
    expect(await screen.findByLabelText("Password")).toBeVisible();
    expect(server.last("DELETE /api/v1/session")?.search.get("everywhere")).toBe(everywhere);
  });

  it("returns to the sign-in when the server says that the session has ended", async () => {
    const { client, endSession } = renderWith(VIEWER);
    await screen.findByRole("button", { name: /ada, viewer/ });
    endSession();
    const { statusQuery } = await import("../api/queries");
    await client.fetchQuery({ ...statusQuery(), retry: false }).catch(() => {});
    await waitFor(() => expect(screen.getByLabelText("Password")).toBeVisible());
  });
});
