import clsx from "clsx";
import type { ReactNode } from "react";

/** The width of all pages and of the bar above them, so that nothing moves sideways from page to page. */
export const PAGE_WIDTH = "mx-auto w-full max-w-7xl px-4 sm:px-8 3xl:max-w-[100rem]";

/** A page's frame. */
export function Page({ children }: { children: ReactNode }) {
  return <div className={clsx(PAGE_WIDTH, "pt-6 pb-24 sm:pt-10")}>{children}</div>;
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
