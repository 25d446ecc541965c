import clsx from "clsx";
import type { ComponentProps } from "react";

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
    "inline-flex select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium text-sm transition-colors",
    "disabled:opacity-50 aria-disabled:opacity-50",
    small ? "h-8" : "h-10",
    square ? (small ? "w-8" : "w-10") : small ? "px-3" : "px-4",
    LOOKS[look],
  );
}

export function Button({
  look,
  small,
  square,
  className,
  type = "button",
  ...rest
}: ComponentProps<"button"> & ButtonLook) {
  const own: ButtonLook = { ...(look && { look }), ...(small && { small }), ...(square && { square }) };
  return <button type={type} className={clsx(buttonClass(own), className)} {...rest} />;
}
