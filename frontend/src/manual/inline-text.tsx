import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { hasChapter } from "./chapters";

const TOKEN =
  /(`+)(.+?)\1|!\[([^\]]*)\]\([^)]*\)|\[([^\]]+)\]\(([^)\s]+)\)|<(https?:[^>]+)>|\*\*(.+?)\*\*|\*(\S.*?\S|\S)\*/;
const LINK = "underline underline-offset-4 hover:text-accent";

/** Draws inline Markdown: code, links, bold and italic text. An image is drawn as its description. */
export function InlineText({ text }: { text: string }): ReactNode {
  const parts: ReactNode[] = [];
  let rest = text;
  for (let match = TOKEN.exec(rest); match; match = TOKEN.exec(rest)) {
    if (match.index > 0) parts.push(rest.slice(0, match.index));
    parts.push(<Token key={parts.length} match={match} />);
    rest = rest.slice(match.index + match[0].length);
  }
  return [...parts, rest];
}

function Token({ match }: { match: RegExpExecArray }): ReactNode {
  const [, , code, image, name, target, address, bold, italic] = match;
  if (code !== undefined) {
    return <code className="rounded bg-sunken px-1 py-0.5 text-[0.9em] [overflow-wrap:anywhere]">{code.trim()}</code>;
  }
  if (image !== undefined) return <em>{image}</em>;
  if (name !== undefined && target !== undefined) return <Reference name={name} target={target} />;
  if (address !== undefined) return <Outside address={address}>{address}</Outside>;
  if (bold !== undefined) {
    return (
      <strong>
        <InlineText text={bold} />
      </strong>
    );
  }
  return <em>{italic}</em>;
}

/** A link within the manual, or to the web. Other files of the source are not served, so only their name is drawn. */
function Reference({ name, target }: { name: string; target: string }): ReactNode {
  const label = <InlineText text={name} />;
  if (/^https?:/.test(target)) return <Outside address={target}>{label}</Outside>;
  const [path = "", hash = ""] = target.split("#");
  const chapter = path.replace(/^.*\//, "").replace(/\.md$/, "");
  if (path === "") {
    return (
      <a href={`#${hash}`} className={LINK}>
        {label}
      </a>
    );
  }
  if (!path.endsWith(".md") || !hasChapter(chapter)) return label;
  return (
    <Link to="/manual/$chapter" params={{ chapter }} hash={hash} className={LINK}>
      {label}
    </Link>
  );
}

function Outside({ address, children }: { address: string; children: ReactNode }) {
  return (
    <a href={address} target="_blank" rel="noreferrer" className={LINK}>
      {children}
    </a>
  );
}
