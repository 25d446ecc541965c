import { type FormEvent, useEffect, useRef, useState } from "react";
import { useRegister } from "../api/mutations";
import { toProblem } from "../api/problem";
import type { ModelCreate } from "../api/types";
import type { NamedFile } from "../browser/named-files";
import { ExamplesDrop } from "../examples/examples-drop";
import { makeExamplesForm } from "../examples/examples-form";
import { findLabelsError, parseLines } from "../models/labels-field";
import { EMPTY_DRAFT, type MetadataDraft, MetadataFields, toMetadata, validateDraft } from "../models/metadata-fields";
import { text } from "../text";
import { Button } from "../ui/button";
import { DialogActions } from "../ui/dialog";
import { TextArea } from "../ui/field";
import { ProblemNotice } from "../ui/notice";
import { type ModelFiles, suggestOtherName } from "./dropped-files";
import { getLabels, SpecPreview } from "./spec-preview";

const words = text.models.register;
const NAME_TAKEN = "name_taken";

interface Props {
  path: string;
  files: ModelFiles | undefined;
  onBack: () => void;
  onRegistered: () => void;
}

/** Asks for a model's metadata and registers it together with its spec, its labels and its examples. */
export function RegisterForm({ path, files, onBack, onRegistered }: Props) {
  const [draft, setDraft] = useState<MetadataDraft>(() => startDraft(path, files));
  const [labels, setLabels] = useState(() => (files && getLabels(files)?.join("\n")) ?? "");
  const [tried, setTried] = useState(false);
  const [examples, setExamples] = useState<NamedFile[] | undefined>(files?.examples);
  const register = useRegister();
  const faults = validateDraft(draft);
  const labelsError = findLabelsError(parseLines(labels), null);
  const form = useRef<HTMLFormElement>(null);
  // The file picker had the focus and is gone.
  useEffect(() => form.current?.querySelector("input")?.select(), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length > 0 || labelsError) return;
    const spec = buildSpec(files, labels);
    const model = { ...toMetadata(draft), file_path: path, ...(spec && { spec }) };
    register.mutate({ model, examples: examples && makeExamplesForm(examples) }, { onSuccess: onRegistered });
  };
  const problem = register.error ? toProblem(register.error) : undefined;
  const other = suggestOtherName(draft.name.trim());

  return (
    <form ref={form} onSubmit={submit} noValidate className="space-y-4">
      {files && <SpecPreview files={files} />}
      <MetadataFields draft={draft} faults={tried ? faults : {}} onChange={setDraft} />
      <TextArea
        label={words.labels}
        hint={words.labelsHint}
        error={tried ? labelsError : undefined}
        value={labels}
        onChange={(event) => setLabels(event.target.value)}
      />
      {examples ? (
        <div className="flex flex-wrap items-center justify-between gap-3 text-sm">
          <p>{text.examples.chosen(examples.length - 1)}</p>
          <Button small onClick={() => setExamples(undefined)}>
            {text.examples.without}
          </Button>
        </div>
      ) : (
        <ExamplesDrop title={text.examples.drop} onExamples={setExamples} />
      )}
      {problem && (
        <ProblemNotice
          problem={problem}
          actions={
            problem.code === NAME_TAKEN && (
              <Button small onClick={() => setDraft({ ...draft, name: other })}>
                {words.takeName(other)}
              </Button>
            )
          }
        />
      )}
      <DialogActions>
        <Button look="quiet" onClick={onBack}>
          {words.other}
        </Button>
        <Button action="edit" type="submit" look="primary" disabled={register.isPending}>
          {words.submit}
        </Button>
      </DialogActions>
    </form>
  );
}

function startDraft(path: string, files: ModelFiles | undefined): MetadataDraft {
  const accuracy = files?.accuracy === undefined ? "" : String(files.accuracy);
  return { ...EMPTY_DRAFT, name: suggestName(path), accuracy };
}

/** Returns the spec to send: that of the dropped file, with the labels as they stand in the form. */
function buildSpec(files: ModelFiles | undefined, typed: string): ModelCreate["spec"] | undefined {
  const labels = parseLines(typed);
  const spec = { ...files?.spec?.document, ...(labels.length > 0 && { labels }) };
  return Object.keys(spec).length > 0 ? (spec as ModelCreate["spec"]) : undefined;
}

/** models/yamnet_human_v2.keras → yamnet human v2 */
export function suggestName(path: string): string {
  const file = path.split("/").at(-1) ?? path;
  return file
    .replace(/\.[a-z0-9]+$/i, "")
    .replaceAll(/[_-]+/g, " ")
    .trim();
}
