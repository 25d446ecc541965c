import { useQuery } from "@tanstack/react-query";
import { reportQuery } from "../api/queries";
import type { ModelDetail } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { TextArea } from "../ui/field";

const words = text.models.edit;

/** Returns the labels of a text with one on each line. */
export function parseLines(typed: string): string[] {
  return typed
    .split("\n")
    .map((label) => label.trim())
    .filter((label) => label !== "");
}

/** Returns why the labels cannot be saved, or undefined. Without labels, the file's own are used. */
export function findLabelsError(labels: string[], needed: number | null): string | undefined {
  if (labels.length === 0) return undefined;
  if (needed !== null && labels.length !== needed) return words.labelsCount(labels.length, needed);
  return new Set(labels).size < labels.length ? words.labelsTwice : undefined;
}

/** Returns the labels that the model has now: those that were given, else those that its file or sidecar names. */
export function useLabels(model: ModelDetail | undefined): string[] | undefined {
  const compiled = model?.labels_named === true;
  const report = useQuery({ ...reportQuery(model?.model_id ?? 0), enabled: compiled });
  if (model?.given_spec?.labels) return model.given_spec.labels;
  if (model && !compiled) return [];
  return report.error ? [] : report.data?.spec.labels;
}

interface Props {
  model: ModelDetail;
  value: string;
  error: string | undefined;
  onChange: (typed: string) => void;
}

/** Edits the labels, one on each line, and offers the label files beside the model. */
export function LabelsField({ model, value, error, onChange }: Props) {
  const count = parseLines(value).length;
  const hint = [words.labelsHint(count, model.label_count), ...(model.is_active ? [words.labelsLive] : [])].join(" ");
  return (
    <div>
      <TextArea
        label={words.labels}
        hint={hint}
        error={error}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <div className="mt-2 flex flex-wrap gap-2 empty:hidden">
        {model.label_files.map(
          ({ file_path, labels }) =>
            labels && (
              <Button key={file_path} small onClick={() => onChange(labels.join("\n"))}>
                {words.offerFile(file_path, labels.length)}
              </Button>
            ),
        )}
      </div>
    </div>
  );
}
