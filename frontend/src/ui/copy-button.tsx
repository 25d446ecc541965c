import { useEffect, useState } from "react";
import { text } from "../text";
import { Button } from "./button";
import { CheckIcon, CopyIcon } from "./icons";

const SHOWN_MS = 1800;

export function CopyButton({ value, label }: { value: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  // Browsers offer the clipboard only on localhost and on https addresses.
  if (!navigator.clipboard) return null;
  return (
    <Button
      look="quiet"
      small
      square
      aria-label={copied ? text.common.copied : text.common.copyLabel(label)}
      title={copied ? text.common.copied : text.common.copy}
      onClick={() => void navigator.clipboard.writeText(value).then(() => setCopied(true))}
    >
      {copied ? <CheckIcon /> : <CopyIcon />}
      <span role="status" className="sr-only">
        {copied ? text.common.copied : ""}
      </span>
    </Button>
  );
}

/** A command that can be copied. */
export function Command({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <p className="mb-1 text-ink-2 text-sm">{label}</p>
      <div className="flex items-start gap-1 rounded-lg bg-sunken py-1 pr-1 pl-3">
        <pre className="min-w-0 flex-1 whitespace-pre-wrap py-1.5 text-sm leading-5 [overflow-wrap:anywhere]">
          <code>{value}</code>
        </pre>
        <CopyButton value={value} label={label} />
      </div>
    </div>
  );
}

/** Shows the first 12 characters of a digest; the title and the copy button give all of it. */
export function Digest({ value }: { value: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <span title={value}>{value.slice(0, 12)}</span>
      <CopyButton value={value} label={text.common.digest} />
    </span>
  );
}
