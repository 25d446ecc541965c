// Marks, embeddings, overrides and isolates. With them "\u202Eevil" is drawn as "live".
const CONTROLS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
const ESCAPED = /\\u(?:061c|200[ef]|202[a-e]|206[6-9])/gi;
const NO_BODY = new Set([101, 204, 205, 304]);

/** Returns a text without the characters that change the direction in which text is drawn. */
export const stripControls = (text: string): string => text.replace(CONTROLS, "");

/** Returns the text of a JSON document without such characters, escaped or not. */
export const stripJson = (json: string): string => stripControls(json.replace(ESCAPED, ""));

/**
 * Returns an answer whose JSON has no such characters, wherever a name, a label or a type stands in it. The server
 * refuses them in new names; tables that others wrote can hold them. Paths of files are kept as they are, because they
 * are sent back to name a file.
 */
export async function stripDirectionControls(answer: Response): Promise<Response> {
  const isJson = answer.headers.get("Content-Type")?.includes("json") ?? false;
  if (!isJson || NO_BODY.has(answer.status) || answer.url.includes("/models/files")) return answer;
  const body = stripJson(await answer.text());
  return new Response(body, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
}
