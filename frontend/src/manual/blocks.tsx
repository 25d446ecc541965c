import { InlineText } from "./inline-text";
import type { Block } from "./parse-markdown";

/** Draws the blocks of a chapter. */
export function Blocks({ blocks }: { blocks: readonly Block[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: the blocks of a chapter never change places
  return blocks.map((block, index) => <BlockView key={index} block={block} />);
}

const HEADINGS = { 1: "text-2xl", 2: "mt-8 text-lg", 3: "mt-6", 4: "mt-4" } as const;

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading": {
      const level = Math.min(4, block.level) as 1 | 2 | 3 | 4;
      const Tag = `h${level}` as const;
      return (
        <Tag id={block.id} className={`mb-2 break-words font-semibold tracking-tight ${HEADINGS[level]}`}>
          <InlineText text={block.text} />
        </Tag>
      );
    }
    case "paragraph":
      return (
        <p className="my-3 break-words">
          <InlineText text={block.text} />
        </p>
      );
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <pre tabIndex={0} className="my-3 overflow-x-auto rounded-lg bg-sunken px-4 py-3 text-sm leading-6">
          <code>{block.text}</code>
        </pre>
      );
    case "list": {
      const Tag = block.ordered ? "ol" : "ul";
      return (
        <Tag className={`my-3 space-y-1 pl-6 ${block.ordered ? "list-decimal" : "list-disc"}`}>
          {block.items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the items of a chapter never change places
            <li key={index} className="[&>p]:my-0">
              <Blocks blocks={item} />
            </li>
          ))}
        </Tag>
      );
    }
    case "table":
      return <TableView head={block.head} rows={block.rows} />;
  }
}

function TableView({ head, rows }: { head: readonly string[]; rows: readonly string[][] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div tabIndex={0} className="my-4 overflow-x-auto">
      <table className="w-full text-sm">
        <thead className="text-left text-ink-2">
          <tr>
            {head.map((cell, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the columns of a chapter never change places
              <th key={index} scope="col" className="py-1.5 pr-4 align-bottom font-medium">
                <InlineText text={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a chapter never change places
            <tr key={index} className="border-line border-t align-top">
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the cells of a chapter never change places
                <td key={column} className="py-1.5 pr-4">
                  <InlineText text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
