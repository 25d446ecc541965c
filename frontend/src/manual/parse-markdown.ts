/** A block of the manual's Markdown. Inline text is parsed where it is drawn. */
export type Block =
  | { kind: "heading"; level: number; text: string; id: string }
  | { kind: "paragraph"; text: string }
  | { kind: "code"; text: string }
  | { kind: "list"; ordered: boolean; items: Block[][] }
  | { kind: "table"; head: string[]; rows: string[][] };

const FENCE = /^(\s*)```/;
const HEADING = /^(#{1,4})\s+(.*)$/;
const ITEM = /^(\s*)([-*]|\d+\.)\s+(.*)$/;
const TABLE_RULE = /^\s*\|?[\s:|-]+\|[\s:|-]*$/;

/** Parses the Markdown that the docs use: headings, paragraphs, code, lists and tables. */
export function parseMarkdown(source: string): Block[] {
  return parseLines(source.replace(/<!--[\s\S]*?-->/g, "").split(/\r?\n/));
}

function parseLines(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = HEADING.exec(line);
    if (line.trim() === "") {
      at += 1;
    } else if (FENCE.test(line)) {
      const end = findFenceEnd(lines, at + 1);
      const indent = FENCE.exec(line)?.[1]?.length ?? 0;
      blocks.push({
        kind: "code",
        text: lines
          .slice(at + 1, end)
          .map((each) => cutIndent(each, indent))
          .join("\n"),
      });
      at = end + 1;
    } else if (heading) {
      const text = heading[2] ?? "";
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, text, id: toAnchor(text) });
      at += 1;
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "")) {
      const end = findEnd(lines, at, (each) => each.includes("|"));
      const [head = [], , ...rows] = lines.slice(at, end).map(splitCells);
      blocks.push({ kind: "table", head, rows });
      at = end;
    } else if (ITEM.test(line)) {
      const end = findListEnd(lines, at);
      blocks.push(parseList(lines.slice(at, end)));
      at = end;
    } else {
      const end = findEnd(lines, at + 1, (each) => each.trim() !== "" && !startsBlock(each));
      blocks.push({
        kind: "paragraph",
        text: lines
          .slice(at, end)
          .map((each) => each.trim())
          .join(" "),
      });
      at = end;
    }
  }
  return blocks;
}

function parseList(lines: readonly string[]): Block {
  const first = ITEM.exec(lines[0] ?? "");
  const indent = first?.[1]?.length ?? 0;
  const items: string[][] = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && (item[1]?.length ?? 0) <= indent) items.push([item[3] ?? ""]);
    else items.at(-1)?.push(cutIndent(line, indent + 2));
  }
  return { kind: "list", ordered: /\d/.test(first?.[2] ?? ""), items: items.map(parseLines) };
}

/** Returns the line at which a list ends: lines of an item are indented, and an empty line may stand between items. */
function findListEnd(lines: readonly string[], start: number): number {
  let end = start;
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.trim() === "") continue;
    const between = lines.slice(end, at).some((each) => each.trim() === "");
    if (!ITEM.test(line) && !/^\s{2,}/.test(line) && (between || startsBlock(line))) break;
    end = at + 1;
  }
  return end;
}

function findEnd(lines: readonly string[], start: number, belongs: (line: string) => boolean): number {
  const length = lines.slice(start).findIndex((line) => !belongs(line));
  return length < 0 ? lines.length : start + length;
}

const findFenceEnd = (lines: readonly string[], start: number) => findEnd(lines, start, (line) => !FENCE.test(line));
const startsBlock = (line: string) => FENCE.test(line) || HEADING.test(line) || ITEM.test(line);
const cutIndent = (line: string, most: number) => line.slice(Math.min(most, line.length - line.trimStart().length));

function splitCells(line: string): string[] {
  const inner = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** Returns the anchor of a heading, as code hosting sites make it. */
export const toAnchor = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
