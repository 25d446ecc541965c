const NAME = /(^|[./])(labels|class_names)\.(txt|json|csv)$/i;
const JSON_KEYS = ["labels", "class_names", "classes", "id2label", "names"];
const COLUMNS = new Set(["display_name", "label", "labels", "class_name", "class_names", "name", "class"]);
const NUMBERS = new Set(["index", "id", "label_id", "class_id"]);
const NUMBERED = /^(\d+)[\s:]\s*(\S.*)$/;

/** Tells whether a file's name says that it holds a model's labels, as training scripts name it. */
export const isLabelFile = (path: string): boolean => NAME.test(path);

/** Returns the labels of a file, in its order, or undefined when it holds none in a form that is known. */
export function parseLabelFile(path: string, content: string): string[] | undefined {
  if (/\.json$/i.test(path)) return findLabels(parseJson(content));
  return /\.csv$/i.test(path) ? parseTable(content) : parseLabelLines(content);
}

function parseLabelLines(content: string): string[] | undefined {
  const lines = splitLines(content);
  const numbered = lines.map((line) => NUMBERED.exec(line));
  const counted = lines.length > 1 && numbered.every((match, index) => match && Number(match[1]) === index);
  return keepLabels(counted ? numbered.map((match) => match?.[2] ?? "") : lines);
}

function parseTable(content: string): string[] | undefined {
  const rows = splitLines(content);
  if (rows.some((row) => row.includes('"'))) return undefined;
  const delimiter = [",", ";", "\t"].find((each) => rows[0]?.includes(each));
  if (delimiter === undefined) return keepLabels(COLUMNS.has(rows[0]?.toLowerCase() ?? "") ? rows.slice(1) : rows);
  const cells = rows.map((row) => row.split(delimiter).map((cell) => cell.trim()));
  const heads = cells[0]?.map((name) => name.toLowerCase()) ?? [];
  const column = heads.findIndex((name) => COLUMNS.has(name));
  // A column of numbers can say another order than that of the rows, so such a table is not guessed at.
  if (column < 0 || heads.some((name) => NUMBERS.has(name))) return undefined;
  return keepLabels(cells.slice(1).map((row) => row[column] ?? ""));
}

function findLabels(value: unknown): string[] | undefined {
  if (Array.isArray(value)) return value.every((each) => typeof each === "string") ? keepLabels(value) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const held = JSON_KEYS.map((key) => (value as Record<string, unknown>)[key]).find((each) => typeof each === "object");
  return held ? findLabels(held) : orderLabels(Object.entries(value));
}

/** Returns the labels of {"0": "dog"} or {"dog": 0} when their numbers count from 0. */
function orderLabels(entries: readonly [string, unknown][]): string[] | undefined {
  const pairs = entries.map(([key, item]) =>
    typeof item === "number" ? ([item, key] as const) : ([Number(key), item] as const),
  );
  const ordered = pairs.sort(([one], [other]) => one - other);
  const counted = ordered.every(([number, label], index) => number === index && typeof label === "string");
  return counted ? keepLabels(ordered.map(([, label]) => String(label))) : undefined;
}

const keepLabels = (labels: readonly string[]): string[] | undefined => (labels.length > 0 ? [...labels] : undefined);

const splitLines = (content: string): string[] =>
  content
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");

export function parseJson(content: string): unknown {
  try {
    return JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
}
