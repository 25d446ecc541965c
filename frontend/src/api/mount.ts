/**
 * The path under which the server's application is mounted, such as `/listen`; empty at the root of a host.
 * The server writes it into index.html. In development Vite leaves the placeholder, which means the root.
 */
export const mount = (
  globalThis.document?.querySelector<HTMLMetaElement>('meta[name="understudy-mount"]')?.content ?? ""
).replace(/^\.?\/?$|\/$/, "");

/** The address of the server's application without a slash at its end, such as `https://team.example/listen`. */
export const serverAddress = `${globalThis.location?.origin ?? ""}${mount}`;
