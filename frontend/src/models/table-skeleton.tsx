import { Panel, Skeleton } from "../ui/layout";

const ROWS = [0, 1, 2, 3, 4, 5];

/** The table's placeholder while it loads. */
export function TableSkeleton() {
  return (
    <Panel className="divide-y divide-line">
      {ROWS.map((row) => (
        <div key={row} className="flex items-center justify-between gap-6 px-5 py-4">
          <Skeleton className="h-5 w-1/3" />
          <Skeleton className="h-5 w-24" />
        </div>
      ))}
    </Panel>
  );
}
