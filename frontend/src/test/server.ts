import { vi } from "vitest";

type Answer = { status?: number; body: unknown };
type Routes = Record<string, unknown | ((request: Request) => Answer | Promise<Answer>)>;

/** Replaces `fetch`: answers by "METHOD /path" and records the requests. A plain value is the body of a 200. */
export function serveApi(routes: Routes): { asked: { key: string; search: URLSearchParams; body: string }[] } {
  const asked: { key: string; search: URLSearchParams; body: string }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const key = `${request.method} ${url.pathname}`;
    asked.push({ key, search: url.searchParams, body: await request.clone().text() });
    const route = routes[key];
    if (route === undefined)
      return respond(404, { code: "not_found", title: "Not found", status: 404, detail: key, remedy: "" });
    const answer = typeof route === "function" ? await route(request) : { body: route };
    return respond(answer.status ?? 200, answer.body);
  });
  return { asked };
}

const respond = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
