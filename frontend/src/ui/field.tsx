import clsx from "clsx";
import { type ComponentProps, type ReactNode, useId } from "react";
import { ChevronDownIcon } from "./icons";

export const CONTROL =
  "w-full rounded-md border border-line-strong bg-surface px-3 text-ink text-sm placeholder:text-ink-3 disabled:opacity-60";

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  hideLabel?: boolean;
}

function Field({
  label,
  hint,
  error,
  hideLabel,
  children,
}: FieldProps & { children: (ids: { id: string; describedBy: string | undefined }) => ReactNode }) {
  const id = useId();
  const described = error ?? hint;
  return (
    <div>
      <label htmlFor={id} className={clsx("mb-1 block font-medium text-sm", hideLabel && "sr-only")}>
        {label}
      </label>
      {children({ id, describedBy: described ? `${id}-hint` : undefined })}
      {described && (
        <p id={`${id}-hint`} className={clsx("mt-1 text-sm", error ? "text-danger" : "text-ink-2")}>
          {described}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, hideLabel, className, ...rest }: FieldProps & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel ?? false}>
      {({ id, describedBy }) => (
        <input
          id={id}
          aria-describedby={describedBy}
          aria-invalid={error ? true : undefined}
          className={clsx(CONTROL, "h-10", className)}
          {...rest}
        />
      )}
    </Field>
  );
}

export function TextArea({ label, hint, error, ...rest }: FieldProps & ComponentProps<"textarea">) {
  return (
    <Field label={label} hint={hint} error={error}>
      {({ id, describedBy }) => (
        <textarea id={id} aria-describedby={describedBy} rows={3} className={clsx(CONTROL, "py-2")} {...rest} />
      )}
    </Field>
  );
}

export function SelectField({
  label,
  hint,
  error,
  hideLabel,
  className,
  children,
  ...rest
}: FieldProps & ComponentProps<"select">) {
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel ?? false}>
      {({ id, describedBy }) => (
        <span className={clsx("relative block", className)}>
          <select
            id={id}
            aria-describedby={describedBy}
            className={clsx(CONTROL, "h-10 appearance-none truncate pr-9")}
            {...rest}
          >
            {children}
          </select>
          <span className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-ink-2">
            <ChevronDownIcon />
          </span>
        </span>
      )}
    </Field>
  );
}
