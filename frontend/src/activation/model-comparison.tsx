import type { ReactNode } from "react";
import type { Model, Spec } from "../api/types";
import { formatBytes, formatPercent } from "../format/numbers";
import { text } from "../text";
import { WarningNotice } from "../ui/notice";
import { compareLabels, compareThresholds } from "./compare-labels";

const words = text.models.activate;
const MOST_LABELS = 12;
const MOST_THRESHOLDS = 6;

interface Props {
  present: Model | null;
  next: Model;
  presentSpec: Spec | undefined;
  nextSpec: Spec | undefined;
}

/** Compares the live model with the one to activate: metadata, input, labels and thresholds. */
export function ModelComparison({ present, next, presentSpec, nextSpec }: Props) {
  return (
    <>
      <table className="w-full table-fixed text-sm">
        <thead>
          <tr className="text-left align-bottom text-ink-3">
            <td className="w-24" />
            <th scope="col" className="pb-1 font-normal">
              {words.now}
            </th>
            <th scope="col" className="pb-1 font-normal">
              {words.next}
            </th>
          </tr>
          <tr className="text-left align-top">
            <td />
            <th scope="col" className="break-words pr-4 pb-3 font-semibold">
              <bdi>{present?.model_name ?? words.nothingLive}</bdi>
            </th>
            <th scope="col" className="break-words pb-3 font-semibold text-accent">
              <bdi>{next.model_name}</bdi>
            </th>
          </tr>
        </thead>
        <tbody>
          <Row name={text.common.version} present={present?.version} next={next.version} />
          <Row name={text.common.accuracy} present={formatAccuracy(present)} next={formatAccuracy(next)} />
          <Row name={text.common.formatSize} present={size(present)} next={size(next)} />
          <Row name={words.input} present={formatInput(presentSpec)} next={formatInput(nextSpec)} />
          <Row name={words.labels} present={presentSpec?.labels.length} next={nextSpec?.labels.length} />
        </tbody>
      </table>
      <div className="mt-3 min-h-16 space-y-3 text-sm">
        {!nextSpec ? (
          <p className="text-ink-2">{words.labelsUnknown}</p>
        ) : (
          <>
            <Labels present={presentSpec?.labels ?? []} next={nextSpec.labels} />
            <Thresholds present={presentSpec?.thresholds ?? {}} next={nextSpec.thresholds ?? {}} />
          </>
        )}
      </div>
    </>
  );
}

function Row({ name, present, next }: { name: string; present: ReactNode; next: ReactNode }) {
  return (
    <tr className="border-line border-t">
      <th scope="row" className="py-2 text-left font-normal text-ink-3">
        {name}
      </th>
      <td className="break-words py-2 pr-4">{present ?? "–"}</td>
      <td className="break-words py-2">{next ?? "–"}</td>
    </tr>
  );
}

function Labels({ present, next }: { present: readonly string[]; next: readonly string[] }) {
  const { added, removed } = compareLabels(present, next);
  if (added.length === 0 && removed.length === 0) return <p className="text-ink-2">{words.sameLabels}</p>;
  return (
    <>
      {removed.length > 0 && <WarningNotice>{words.lost(removed.length, listLabels(removed))}</WarningNotice>}
      {added.length > 0 && <p className="break-words">{words.gained(added.length, listLabels(added))}</p>}
    </>
  );
}

interface ThresholdsProps {
  present: Readonly<Record<string, number>>;
  next: Readonly<Record<string, number>>;
}

function Thresholds({ present, next }: ThresholdsProps) {
  const changes = compareThresholds(present, next);
  if (changes.length === 0) return <p className="text-ink-2">{words.noThresholds}</p>;
  const shown = changes.slice(0, MOST_THRESHOLDS);
  return (
    <table className="w-full table-fixed">
      <caption className="pb-1 text-left text-ink-3">{words.thresholds}</caption>
      <tbody>
        {shown.map((change) => (
          <tr key={change.label} className="border-line border-t">
            <th scope="row" title={change.label} className="w-2/5 truncate py-1 pr-3 text-left font-normal">
              <bdi>{change.label}</bdi>
            </th>
            <td className="py-1 pr-4">{formatThreshold(change.present)}</td>
            <td className={change.present === change.next ? "py-1" : "py-1 font-medium"}>
              {formatThreshold(change.next)}
            </td>
          </tr>
        ))}
      </tbody>
      {changes.length > shown.length && (
        <tfoot>
          <tr>
            <td colSpan={3} className="pt-1 text-ink-2">
              {words.moreThresholds(changes.length - shown.length)}
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

const listLabels = (labels: readonly string[]) =>
  labels.slice(0, MOST_LABELS).join(", ") + (labels.length > MOST_LABELS ? ", …" : "");
const formatThreshold = (value: number | undefined) => value?.toFixed(2) ?? "–";
const formatAccuracy = (model: Model | null) =>
  model?.accuracy === null || model === null ? undefined : formatPercent(model.accuracy);
const size = (model: Model | null) =>
  model?.file_bytes === null || model === null ? undefined : formatBytes(model.file_bytes);
const formatInput = (spec: Spec | undefined) => spec && text.modelDetail.inputs[spec.input];
