import { useQuery } from "@tanstack/react-query";
import { modelChoicesQuery } from "../api/queries";
import { text } from "../text";
import { SelectField } from "../ui/field";

const words = text.tryIt.models;

/** A model's id, "live" for the model that is live when the request arrives, or undefined for no model. */
export type ModelChoice = number | "live" | undefined;

interface Props {
  label: string;
  value: ModelChoice;
  optional?: boolean;
  onChange: (choice: ModelChoice) => void;
}

export function ModelSelect({ label, value, optional = false, onChange }: Props) {
  const models = useQuery(modelChoicesQuery()).data?.models ?? [];
  return (
    <SelectField
      label={label}
      value={value ?? ""}
      onChange={(event) => onChange(parseChoice(event.target.value))}
      className="sm:w-64"
    >
      {optional && <option value="">{words.none}</option>}
      <option value="live">{words.live}</option>
      {models.map((model) => (
        <option key={model.model_id} value={model.model_id}>
          {model.version ? `${model.model_name}, ${model.version}` : model.model_name}
        </option>
      ))}
    </SelectField>
  );
}

const parseChoice = (value: string): ModelChoice =>
  value === "" ? undefined : value === "live" ? "live" : Number(value);
