import { type FormEvent, useEffect, useRef, useState } from "react";
import { useRegister } from "../api/mutations";
import { toProblem } from "../api/problem";
import type { NamedFile } from "../browser/named-files";
import { ExamplesDrop } from "../examples/examples-drop";
import { makeExamplesForm } from "../examples/examples-form";
import { EMPTY_DRAFT, type MetadataDraft, MetadataFields, toMetadata, validateDraft } from "../models/metadata-fields";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextField } from "../ui/field";
import { ProblemNotice } from "../ui/notice";
import { FilePicker } from "./file-picker";

const words = text.models.register;

interface Props {
  /** A file that was dropped on the page; it is uploaded at once. */
  dropped: File | undefined;
  onClose: () => void;
}

/** Registers a model in two steps: first the file (picked or uploaded), then its metadata. */
export function RegisterDialog({ dropped, onClose }: Props) {
  const [path, setPath] = useState<string>();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={words.title} description={path ?? words.lead} wide>
      {path === undefined ? (
        <FilePicker dropped={dropped} onPicked={setPath} />
      ) : (
        <RegisterForm path={path} onBack={() => setPath(undefined)} onClose={onClose} />
      )}
    </Dialog>
  );
}

function RegisterForm({ path, onBack, onClose }: { path: string; onBack: () => void; onClose: () => void }) {
  const [draft, setDraft] = useState<MetadataDraft>(() => ({ ...EMPTY_DRAFT, name: suggestName(path) }));
  const [labels, setLabels] = useState("");
  const [tried, setTried] = useState(false);
  const [examples, setExamples] = useState<NamedFile[]>();
  const register = useRegister();
  const faults = validateDraft(draft);
  const form = useRef<HTMLFormElement>(null);
  // The file picker had the focus and is gone.
  useEffect(() => form.current?.querySelector("input")?.select(), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length > 0) return;
    const named = parseLabels(labels);
    const model = { ...toMetadata(draft), file_path: path, ...(named.length > 0 && { spec: { labels: named } }) };
    register.mutate({ model, examples: examples && makeExamplesForm(examples) }, { onSuccess: onClose });
  };

  return (
    <form ref={form} onSubmit={submit} noValidate className="space-y-4">
      <MetadataFields draft={draft} faults={tried ? faults : {}} onChange={setDraft} />
      <TextField
        label={words.labels}
        hint={words.labelsHint}
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
      {register.error && <ProblemNotice problem={toProblem(register.error)} />}
      <DialogActions>
        <Button look="quiet" onClick={onBack}>
          {words.other}
        </Button>
        <Button type="submit" look="primary" disabled={register.isPending}>
          {words.submit}
        </Button>
      </DialogActions>
    </form>
  );
}

/** models/yamnet_human_v2.keras → yamnet human v2 */
export function suggestName(path: string): string {
  const file = path.split("/").at(-1) ?? path;
  return file
    .replace(/\.[a-z0-9]+$/i, "")
    .replaceAll(/[_-]+/g, " ")
    .trim();
}

export function parseLabels(typed: string): string[] {
  return typed
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== "");
}
