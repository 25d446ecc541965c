import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useRefusal } from "../access/access";
import { limits } from "../api/limits";
import { ProblemError } from "../api/problem";
import { modelQuery, modelSearchQuery } from "../api/queries";
import type { Model } from "../api/types";
import { text } from "../text";
import { type Choice, Combobox } from "../ui/combobox";

const words = text.models.picker;
const TYPING_PAUSE_MS = 200;

/** A model's id, "live" for the model that is live when the request arrives, or undefined for no model. */
export type ModelChoice = number | "live" | undefined;

const LIVE: Choice<ModelChoice> = { value: "live", name: words.live };
const NONE: Choice<ModelChoice> = { value: undefined, name: words.none };

interface Props {
  label: string;
  value: ModelChoice;
  optional?: boolean;
  onChange: (choice: ModelChoice) => void;
}

/** Chooses the live model, any registered model, or with `optional` none. */
export function ModelSelect({ optional = false, ...rest }: Props) {
  return <ModelCombobox {...rest} className="w-full sm:w-72" fixed={optional ? [NONE, LIVE] : [LIVE]} />;
}

interface FilterProps {
  label: string;
  value: number | undefined;
  onChange: (choice: number | undefined) => void;
}

/** Restricts a list to one model; by default to none. */
export function ModelFilterField({ label, value, onChange }: FilterProps) {
  return (
    <ModelCombobox
      label={label}
      hideLabel
      className="w-56"
      value={value}
      fixed={[{ value: undefined, name: words.any }]}
      onChange={(choice) => onChange(choice === "live" ? undefined : choice)}
    />
  );
}

interface ComboboxProps extends Props {
  hideLabel?: boolean;
  className: string;
  fixed: readonly Choice<ModelChoice>[];
}

function ModelCombobox({ value, fixed, ...rest }: ComboboxProps) {
  const [typed, setTyped] = useState("");
  const q = usePause(typed.trim());
  const found = useQuery({ ...modelSearchQuery(q), placeholderData: keepPreviousData }).data;
  const chosen = useChosenName(value, fixed);
  const models = found?.models ?? [];
  const hidden = (found?.total ?? 0) - models.length;
  // A filter of a list only reads; a prediction with a model that is not live is a rehearsal.
  const refusal = useRefusal(fixed.includes(LIVE) ? "rehearse" : undefined);
  const choices = [...(q ? [] : fixed), ...(refusal ? [] : models.map(toChoice))];
  const footnote =
    refusal ?? (found && models.length === 0 ? words.noMatch : hidden > 0 ? words.more(hidden) : undefined);
  return (
    <Combobox
      {...rest}
      value={value}
      chosen={chosen}
      choices={choices}
      footnote={footnote}
      onSearch={(next) => setTyped(next.slice(0, limits.modelSearchLength))}
      onChoose={rest.onChange}
    />
  );
}

/** Returns the name of the chosen model, which is fetched by its id: a search may not list it. */
function useChosenName(value: ModelChoice, fixed: readonly Choice<ModelChoice>[]): string {
  const id = typeof value === "number" ? value : undefined;
  const model = useQuery({ ...modelQuery(id ?? 0), enabled: id !== undefined });
  if (id === undefined) return fixed.find((choice) => choice.value === value)?.name ?? "";
  if (model.data) return formatChoice(model.data);
  const unknown = model.error instanceof ProblemError && model.error.problem.code === "model_not_found";
  return unknown ? words.unknown(id) : words.loading(id);
}

const toChoice = (model: Model): Choice<ModelChoice> => ({
  value: model.model_id,
  name: formatChoice(model),
  note: model.is_active ? words.isLive : model.compile_state === "refused" ? words.isRefused : undefined,
});

const formatChoice = (model: Model) => (model.version ? `${model.model_name}, ${model.version}` : model.model_name);

/** Returns the latest value that stayed for a moment, so that not every letter asks the server. */
function usePause(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
