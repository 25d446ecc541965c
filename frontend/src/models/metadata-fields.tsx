import { limits } from "../api/limits";
import type { Model } from "../api/types";
import { text } from "../text";
import { TextArea, TextField } from "../ui/field";

const words = text.models.edit;

/** The form's fields as text. */
export interface MetadataDraft {
  name: string;
  version: string;
  type: string;
  description: string;
  accuracy: string;
}

export type DraftErrors = Partial<Record<keyof MetadataDraft, string>>;

export const EMPTY_DRAFT: MetadataDraft = { name: "", version: "", type: "", description: "", accuracy: "" };

export function toDraft(model: Model): MetadataDraft {
  return {
    name: model.model_name,
    version: model.version ?? "",
    type: model.model_type ?? "",
    description: model.description ?? "",
    accuracy: model.accuracy === null ? "" : String(model.accuracy),
  };
}

export function validateDraft(draft: MetadataDraft): DraftErrors {
  const accuracy = Number(draft.accuracy.replace(",", "."));
  const inRange = accuracy >= limits.accuracyMinimum && accuracy <= limits.accuracyMaximum;
  return {
    ...(draft.name.trim() === "" && { name: words.nameMissing }),
    ...(!inRange && { accuracy: words.accuracyInvalid }),
  };
}

/** Converts the draft to the API's fields. An empty field becomes null. */
export function toMetadata(draft: MetadataDraft) {
  return {
    model_name: draft.name.trim(),
    version: draft.version.trim() || null,
    model_type: draft.type.trim() || null,
    description: draft.description.trim() || null,
    accuracy: draft.accuracy.trim() === "" ? null : Number(draft.accuracy.replace(",", ".")),
  };
}

interface Props {
  draft: MetadataDraft;
  faults: DraftErrors;
  onChange: (draft: MetadataDraft) => void;
}

export function MetadataFields({ draft, faults, onChange }: Props) {
  const field = (key: keyof MetadataDraft) => ({
    value: draft[key],
    error: faults[key],
    onChange: (event: { target: { value: string } }) => onChange({ ...draft, [key]: event.target.value }),
  });
  return (
    <>
      <TextField label={words.name} required maxLength={limits.modelNameLength} {...field("name")} />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label={words.version} maxLength={limits.modelVersionLength} {...field("version")} />
        <TextField label={words.accuracy} inputMode="decimal" hint={words.accuracyHint} {...field("accuracy")} />
      </div>
      <TextField label={words.type} maxLength={limits.modelTypeLength} hint={words.typeHint} {...field("type")} />
      <TextArea label={words.description} {...field("description")} />
    </>
  );
}
