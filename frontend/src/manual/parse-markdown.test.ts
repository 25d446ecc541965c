import { expect, test } from "vitest";
import { listChapters, loadChapter } from "./chapters";
import { parseMarkdown, toAnchor } from "./parse-markdown";

test("headings, paragraphs, code, lists and tables are told apart", () => {
  const source = [
    "# Title `x`",
    "",
    "One line",
    "and its second.",
    "- first",
    "  goes on",
    "- second",
    "  - inner",
    "",
    "```bash",
    "# no heading",
    "```",
    "| a | b |",
    "|---|---|",
    "| 1 \\| 2 | `c` |",
  ].join("\n");
  const [title, lines, list, code, table] = parseMarkdown(source);
  expect(title).toEqual({ kind: "heading", level: 1, text: "Title `x`", id: "title-x" });
  expect(lines).toEqual({ kind: "paragraph", text: "One line and its second." });
  expect(list).toMatchObject({
    kind: "list",
    items: [[{ text: "first goes on" }], [{ text: "second" }, { kind: "list", items: [[{ text: "inner" }]] }]],
  });
  expect(code).toEqual({ kind: "code", text: "# no heading" });
  expect(table).toEqual({ kind: "table", head: ["a", "b"], rows: [["1 | 2", "`c`"]] });
});

test("every chapter is parsed, and begins with its title", async () => {
  const chapters = listChapters();
  expect(chapters[0]).toBe("guide");
  for (const name of chapters) {
    const [first] = parseMarkdown((await loadChapter(name)) ?? "");
    expect(first, name).toMatchObject({ kind: "heading", level: 1 });
  }
});

test("anchors are those of code hosting sites", () => {
  expect(toAnchor("The page's `/models` (v2)")).toBe("the-pages-models-v2");
});
