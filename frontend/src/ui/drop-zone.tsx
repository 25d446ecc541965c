import clsx from "clsx";
import { type DragEvent, useRef, useState } from "react";
import { Button } from "./button";

interface Props {
  accept: string;
  title: string;
  hint: string;
  choose: string;
  onFile: (file: File) => void;
}

/** Takes a file by drag and drop or through the browser's file dialog. */
export function DropZone({ accept, title, hint, choose, onFile }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) onFile(file);
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
        accept={accept}
        aria-label={choose}
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) onFile(file);
        }}
      />
    </div>
  );
}
