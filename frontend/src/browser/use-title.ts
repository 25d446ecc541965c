import { useEffect } from "react";
import { text } from "../text";

/** Names what is shown in the browser's title, in place of the page's own name. */
export function useTitle(name: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = text.shell.formatTitle(name);
    return () => {
      document.title = before;
    };
  }, [name]);
}
