import clsx from "clsx";

interface Props {
  label: string;
  /** From 0 to 1; undefined while it is not known. */
  value: number | undefined;
  className?: string;
}

export function ProgressBar({ label, value, className }: Props) {
  return (
    <progress
      aria-label={label}
      {...(value !== undefined && { value })}
      max={1}
      className={clsx(
        "w-full appearance-none overflow-hidden bg-sunken [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-accent",
        value === undefined && "animate-pulse bg-accent-soft [&::-webkit-progress-bar]:bg-accent-soft",
        className,
      )}
    />
  );
}
