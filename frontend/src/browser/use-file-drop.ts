import { useEffect, useRef, useState } from "react";
import { type NamedFile, readDrop } from "./named-files";

/** Calls `onFiles` with what is dropped anywhere on the page. Returns true while files are dragged over it. */
export function useFileDrop(onFiles: (files: NamedFile[]) => void, enabled: boolean): boolean {
  const [dragging, setDragging] = useState(false);
  const handler = useRef(onFiles);
  useEffect(() => {
    handler.current = onFiles;
  });
  useEffect(() => {
    if (!enabled) return;
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent) => {
      // `relatedTarget` is null only when the pointer leaves the window.
      if (event.relatedTarget === null) setDragging(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setDragging(false);
      if (!event.dataTransfer) return;
      void readDrop(event.dataTransfer).then((files) => files.length > 0 && handler.current(files));
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [enabled]);
  return dragging;
}
