import { useQuery } from "@tanstack/react-query";
import { ProblemError } from "../api/problem";
import { reportQuery } from "../api/queries";
import type { CompileReport, ModelDetail } from "../api/types";
import { formatBytes, formatDuration, formatScientific } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { Fact, Facts, Panel, Section, Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import { PlainTable } from "../ui/table";
import { SpecSection } from "./spec";

const words = text.modelDetail.report;
const PROBE_COLUMNS = [
  { name: words.shape },
  { name: words.error, numeric: true },
  { name: words.allowed, numeric: true },
];

/** Shows the spec and the compile report, which come from one document. */
export function ReportSection({ model }: { model: ModelDetail }) {
  const compiled = model.compile_state === "ready";
  const query = useQuery({ ...reportQuery(model.model_id), enabled: compiled });
  if (compiled && query.data) {
    return (
      <>
        <SpecSection model={model} spec={query.data.spec} />
        <Section title={words.title}>
          <Panel className="p-5 sm:p-6">
            <Summary report={query.data} />
            <Probes report={query.data} />
            <ReportDetails report={query.data} />
          </Panel>
        </Section>
      </>
    );
  }
  const absent = !compiled || (query.error instanceof ProblemError && query.error.problem.code === "report_not_found");
  if (query.error && !absent) {
    return (
      <Section title={words.title}>
        <QueryFailure error={query.error} onRetry={() => void query.refetch()} />
      </Section>
    );
  }
  return (
    <Section title={words.title}>
      {absent ? (
        <p className="text-ink-2">{model.compile_state === "refused" ? words.refused : words.none}</p>
      ) : (
        <Skeleton className="h-56 w-full" />
      )}
    </Section>
  );
}

function Summary({ report }: { report: CompileReport }) {
  const worst = Math.max(0, ...report.parity.map((probe) => probe.max_abs_error));
  const tolerance = Math.max(0, ...report.parity.map((probe) => probe.tolerance));
  return (
    <div className="max-w-prose space-y-1 text-pretty">
      <p className="font-medium">
        {report.parity.length === 0
          ? words.notConverted
          : words.agrees(formatScientific(worst), formatScientific(tolerance), report.parity.length)}
      </p>
      <p className="text-ink-2">{words.loaded(report.framework, report.written_by)}</p>
      <p className="text-ink-2">{words.took(formatDuration(report.seconds), formatBytes(report.peak_memory_bytes))}</p>
      {report.quantization ? <Int8Variant variant={report.quantization} /> : null}
    </div>
  );
}

function Int8Variant({ variant }: { variant: NonNullable<CompileReport["quantization"]> }) {
  const { agreement } = variant;
  return (
    <>
      <p className="pt-3 font-medium">{variant.passed ? words.int8Passed : words.int8Refused(variant.reason ?? "")}</p>
      <p className="text-ink-2">
        {words.int8Measured(agreement.clip_agreement, agreement.clips, agreement.window_agreement, agreement.windows)}
      </p>
      <p className="text-ink-2">{words.int8Gain(agreement.throughput_ratio, agreement.max_change)}</p>
    </>
  );
}

function Probes({ report }: { report: CompileReport }) {
  if (report.parity.length === 0) return null;
  return (
    <div className="mt-5 overflow-x-auto">
      <PlainTable
        className="max-w-xl"
        columns={PROBE_COLUMNS}
        rows={report.parity.map((probe) => {
          const shape = probe.input_shapes.map((dimensions) => dimensions.join(" × ")).join(", ");
          return {
            key: shape,
            cells: [shape, formatScientific(probe.max_abs_error), formatScientific(probe.tolerance)],
          };
        })}
      />
    </div>
  );
}

function ReportDetails({ report }: { report: CompileReport }) {
  const signature = (tensors: CompileReport["inputs"]) =>
    tensors.map((one) => `${one.name}: ${one.dtype} ${one.shape.map((size) => size ?? "?").join(" × ")}`).join("; ");
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  return (
    <details className="mt-5 text-sm">
      <summary className="w-fit font-medium">{words.more}</summary>
      <Facts className="mt-4 sm:grid-cols-2">
        <Fact name={words.inputs}>{signature(report.inputs)}</Fact>
        <Fact name={words.outputs}>{signature(report.outputs)}</Fact>
        <Fact name={words.runtime}>{words.runtimes[report.runtime]}</Fact>
        <Fact name={words.isolation}>{report.isolation.join(", ")}</Fact>
        <Fact name={words.versions}>{versions.join(", ")}</Fact>
        <Fact name={words.compiledAt}>
          <Time at={report.compiled_at} />
        </Fact>
        <Fact name={words.sizes}>
          {formatBytes(report.source_bytes)}, {formatBytes(report.onnx_bytes)}
        </Fact>
      </Facts>
    </details>
  );
}
