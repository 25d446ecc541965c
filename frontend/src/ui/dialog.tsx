import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { text } from "../text";
import { Button } from "./button";
import { CloseIcon } from "./icons";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  wide?: boolean;
  /** Only the dialog's own buttons close it. */
  pinned?: boolean;
}

/** A modal dialog. It closes with Escape, a click outside or its button, and returns the focus. */
export function Dialog({ open, onOpenChange, title, description, children, wide = false, pinned = false }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !pinned && onOpenChange(next)}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          {...(description === undefined && { "aria-describedby": undefined })}
          className={`fixed inset-x-3 top-[max(0.75rem,8dvh)] z-50 mx-auto flex max-h-[84dvh] flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-2xl ${wide ? "max-w-2xl" : "max-w-lg"}`}
        >
          <div className="flex items-start justify-between gap-4 px-6 pt-5">
            <Radix.Title
              className="line-clamp-4 min-w-0 break-words pt-1 font-semibold text-lg leading-snug"
              title={title}
            >
              {title}
            </Radix.Title>
            {!pinned && (
              <Radix.Close asChild>
                <Button look="quiet" small square aria-label={text.common.close} className="-mr-2">
                  <CloseIcon />
                </Button>
              </Radix.Close>
            )}
          </div>
          {description !== undefined && (
            <Radix.Description className="break-words px-6 pt-1 text-ink-2 text-sm">{description}</Radix.Description>
          )}
          <div className="scroll-pb-24 overflow-y-auto px-6 pt-5 pb-6">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The row of buttons at the end of a dialog. It stays in sight while a long dialog scrolls. */
export function DialogActions({ children }: { children: ReactNode }) {
  return (
    <div className="sticky -bottom-6 -mx-6 mt-6 -mb-6 flex flex-wrap justify-end gap-2 border-line border-t bg-surface px-6 py-4">
      {children}
    </div>
  );
}
