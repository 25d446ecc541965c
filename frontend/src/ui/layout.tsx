import clsx from "clsx";
import type { ReactNode } from "react";

/** A page's frame: reading width by default, full width for pages with charts. */
export function Page({ wide = false, children }: { wide?: boolean; children: ReactNode }) {
  return (
    <div
      className={clsx(
        "mx-auto w-full px-4 pt-6 pb-24 sm:px-8 sm:pt-10",
        wide ? "max-w-[100rem]" : "max-w-6xl 3xl:max-w-[88rem]",
      )}
    >
      {children}
    </div>
  );
}

export function PageTitle({ children, lead, actions }: { children: ReactNode; lead?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="break-words font-semibold text-2xl tracking-tight">{children}</h1>
        {lead && <p className="mt-1 max-w-prose text-balance text-ink-2">{lead}</p>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

interface SectionProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}

export function Section({ title, lead, actions, children, className }: SectionProps) {
  return (
    <section className={clsx("mt-10", className)}>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div>
          <h2 className="font-semibold text-lg tracking-tight">{title}</h2>
          {lead && <div className="text-ink-2 text-sm">{lead}</div>}
        </div>
        {actions}
      </div>
      {children}
    </section>
  );
}

export function Panel({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={clsx("rounded-xl border border-line bg-surface", className)}>{children}</div>;
}

/** A grid of names with their values. */
export function Facts({ children, className }: { children: ReactNode; className?: string }) {
  return <dl className={clsx("grid gap-x-8 gap-y-4", className)}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-ink-3 text-sm">{name}</dt>
      <dd className="flex min-h-8 items-center break-words font-medium [&_time]:whitespace-normal">{children}</dd>
    </div>
  );
}

export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={clsx("skeleton", className)} />;
}
