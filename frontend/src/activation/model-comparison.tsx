import type { ReactNode } from "react";
import type { Model, Spec } from "../api/types";
import { formatBytes, formatPercent } from "../format/numbers";
import { text } from "../text";
import { compareLabels } from "./compare-labels";

const words = text.models.activate;
const MOST_LABELS = 12;

interface Props {
  present: Model | null;
  next: Model;
  presentSpec: Spec | undefined;
  nextSpec: Spec | undefined;
}

/** Compares the live model with the one to activate: metadata, input and the labels added and removed. */
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
              {present?.model_name ?? words.nothingLive}
            </th>
            <th scope="col" className="break-words pb-3 font-semibold text-accent">
              {next.model_name}
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
      <div className="mt-3 min-h-16 text-sm">
        {!nextSpec ? (
          <p className="text-ink-2">{words.labelsUnknown}</p>
        ) : (
          <Labels present={presentSpec?.labels ?? []} next={nextSpec.labels} />
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
    <dl className="space-y-2">
      <LabelLine name={words.added} sign="+" labels={added} />
      <LabelLine name={words.removed} sign="−" labels={removed} />
    </dl>
  );
}

function LabelLine({ name, sign, labels }: { name: string; sign: string; labels: string[] }) {
  if (labels.length === 0) return null;
  const shown = labels.slice(0, MOST_LABELS).join(", ");
  return (
    <div className="flex gap-3">
      <dt className="w-21 shrink-0 text-ink-3">
        {sign} {labels.length} {name.toLowerCase()}
      </dt>
      <dd className="min-w-0 break-words">{labels.length > MOST_LABELS ? `${shown}, …` : shown}</dd>
    </div>
  );
}

const formatAccuracy = (model: Model | null) =>
  model?.accuracy === null || model === null ? undefined : formatPercent(model.accuracy);
const size = (model: Model | null) =>
  model?.file_bytes === null || model === null ? undefined : formatBytes(model.file_bytes);
const formatInput = (spec: Spec | undefined) => spec && text.modelDetail.inputs[spec.input];
