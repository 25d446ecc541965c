import clsx from "clsx";
import { type DragEvent, useRef, useState } from "react";
import { type NamedFile, readDrop, readInput } from "../browser/named-files";
import { Button } from "./button";

interface Props {
  accept?: string;
  title: string;
  hint: string;
  choose: string;
  /** Takes several files and folders. */
  multiple?: boolean;
  onFiles: (files: NamedFile[]) => void;
}

/** Takes files by drag and drop or through the browser's file dialog. Without `multiple` only the first one counts. */
export function DropZone({ accept, title, hint, choose, multiple = false, onFiles }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: NamedFile[]) => {
    const taken = multiple ? files : files.slice(0, 1);
    if (taken.length > 0) onFiles(taken);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    if (multiple) void readDrop(event.dataTransfer).then(take);
    else take(readInput(event.dataTransfer.files));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button inside serves keyboards
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={clsx(
        "flex flex-wrap items-center justify-between gap-4 rounded-xl border border-dashed px-5 py-5",
        over ? "border-accent bg-accent-soft" : "border-line-strong",
      )}
    >
      <div>
        <p className="font-medium">{title}</p>
        <p className="text-ink-2 text-sm">{hint}</p>
      </div>
      <Button onClick={() => input.current?.click()}>{choose}</Button>
      <input
        ref={input}
        type="file"
        {...(accept && { accept })}
        multiple={multiple}
        aria-label={choose}
        // The button above is the control; this field only opens the browser's dialog.
        aria-hidden="true"
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const files = readInput(event.target.files ?? []);
          event.target.value = "";
          take(files);
        }}
      />
    </div>
  );
}
