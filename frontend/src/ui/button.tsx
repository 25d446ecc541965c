import clsx from "clsx";
import type { ComponentProps } from "react";
import { type Action, useRefusal } from "../access/access";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  plain: "border border-line-strong bg-surface text-ink hover:bg-sunken",
  quiet: "text-ink-2 hover:bg-sunken hover:text-ink",
  danger: "border border-danger text-danger hover:bg-danger-soft",
};

export interface ButtonLook {
  look?: Look;
  small?: boolean;
  square?: boolean;
}

/** Returns the classes of a button, also for links that look like one. */
export function buttonClass({ look = "plain", small = false, square = false }: ButtonLook = {}): string {
  return clsx(
    "inline-flex select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium text-sm motion-safe:transition-colors",
    "disabled:opacity-50 aria-disabled:opacity-50",
    small ? "h-8" : "h-10",
    square ? (small ? "w-8" : "w-10") : small ? "px-3" : "px-4",
    LOOKS[look],
  );
}

/** A button. With an `action` that the person may not do it is disabled, and says why. */
export function Button({
  action,
  look,
  small,
  square,
  className,
  type = "button",
  ...rest
}: ComponentProps<"button"> & ButtonLook & { action?: Action | undefined }) {
  const refusal = useRefusal(action);
  const own: ButtonLook = { ...(look && { look }), ...(small && { small }), ...(square && { square }) };
  const classes = clsx(buttonClass(own), className);
  if (refusal === undefined) return <button type={type} className={classes} {...rest} />;
  // Not `disabled`: that would take the reason from those who use the keyboard.
  const { onClick: _, children, ...others } = rest;
  return (
    <button {...others} type="button" className={classes} aria-disabled={true} title={refusal}>
      {children}
      <span className="sr-only">. {refusal}</span>
    </button>
  );
}
