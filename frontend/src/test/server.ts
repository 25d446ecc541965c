import { vi } from "vitest";

type Answer = { status?: number; body: unknown };
export type Routes = Record<string, unknown | ((request: Request) => Answer | Promise<Answer>)>;

export interface RecordedRequest {
  /** "METHOD /path" */
  key: string;
  search: URLSearchParams;
  body: string;
}

/** Replaces `fetch`: answers by "METHOD /path" and records the requests. A plain value is the body of a 200. */
export function serveApi(routes: Routes) {
  const requests: RecordedRequest[] = [];
  vi.stubGlobal("fetch", async (input: Request | string) => {
    const request = new Request(input instanceof Request ? input : new URL(input, location.origin));
    const url = new URL(request.url);
    const key = `${request.method} ${url.pathname}`;
    requests.push({ key, search: url.searchParams, body: await request.clone().text() });
    const route = routes[key];
    if (route === undefined) {
      return respond(404, { code: "not_found", title: "Not found", status: 404, detail: key, remedy: "" });
    }
    const answer = typeof route === "function" ? await route(request) : { body: route };
    return respond(answer.status ?? 200, answer.body);
  });
  vi.stubGlobal("XMLHttpRequest", FetchingRequest);
  /** Returns the requests of one route, oldest first. */
  const find = (key: string) => requests.filter((request) => request.key === key);
  return { requests, find, last: (key: string) => find(key).at(-1) };
}

const respond = (status: number, body: unknown) =>
  new Response(body instanceof Blob ? body : JSON.stringify(body), {
    status,
    headers: { "Content-Type": body instanceof Blob ? body.type : "application/json" },
  });

/** Sends what the page sends with XMLHttpRequest, for its progress, through the replaced `fetch`. */
class FetchingRequest {
  readonly upload: { onprogress?: unknown; onload?: () => void } = {};
  status = 0;
  response: unknown = null;
  responseType = "";
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  #method = "";
  #url = "";
  #aborted = false;

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(): void {}

  send(body: BodyInit): void {
    this.upload.onload?.();
    void this.#fetch(body);
  }

  abort(): void {
    this.#aborted = true;
    this.onabort?.();
  }

  async #fetch(body: BodyInit): Promise<void> {
    try {
      const answer = await fetch(new Request(new URL(this.#url, location.origin), { method: this.#method, body }));
      this.status = answer.status;
      this.response = await answer.blob();
    } catch {
      this.onerror?.();
      return;
    }
    if (!this.#aborted) this.onload?.();
  }
}
