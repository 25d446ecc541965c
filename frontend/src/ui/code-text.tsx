import type { ReactNode } from "react";

/** Draws a sentence of the server: what stands between backticks is drawn as code. */
export function CodeText({ children }: { children: string }): ReactNode {
  return children.split(/`([^`]+)`/).map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence keep their places
      <code key={index} className="rounded bg-sunken px-1 py-0.5 text-[0.9em] [overflow-wrap:anywhere]">
        {part}
      </code>
    ),
  );
}
