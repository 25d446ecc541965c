interface Props {
  name: string;
  /** From 0 to 1. */
  fraction: number;
  value: string;
  tone?: "accent" | "danger";
}

/** One row of a bar chart: name, bar and value. */
export function BarRow({ name, fraction, value, tone = "accent" }: Props) {
  return (
    <li className="grid grid-cols-[8rem_minmax(0,1fr)_3.5rem] items-center gap-3">
      <span className="truncate" title={name}>
        {name}
      </span>
      <span aria-hidden="true" className="h-2.5 overflow-hidden rounded-sm bg-sunken">
        <span
          className={`block h-full ${tone === "accent" ? "bg-accent" : "bg-danger"}`}
          style={{ width: `${Math.min(1, Math.max(0, fraction)) * 100}%` }}
        />
      </span>
      <span className="text-right">{value}</span>
    </li>
  );
}
