import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { limits } from "../api/limits";
import { type ModelFilter, modelTypesQuery } from "../api/queries";
import { text } from "../text";
import { SelectField, TextField } from "../ui/field";
import { DEFAULT_SORT, isSortKey } from "./search-params";

const TYPING_PAUSE_MS = 250;

interface Props {
  filter: ModelFilter;
  onChange: (filter: ModelFilter) => void;
}

/** Search, type filter and sort order of the models table. */
export function Toolbar({ filter, onChange }: Props) {
  const [typed, setTyped] = useState(filter.q ?? "");
  const known = useQuery(modelTypesQuery()).data?.types ?? [];
  const types = filter.type && !known.includes(filter.type) ? [...known, filter.type] : known;

  useEffect(() => setTyped(filter.q ?? ""), [filter.q]);
  useEffect(() => {
    if (typed === (filter.q ?? "")) return;
    const timer = setTimeout(() => onChange({ ...filter, q: typed || undefined }), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, filter, onChange]);

  return (
    <search className="mb-4 grid gap-3 sm:grid-cols-[minmax(0,1fr)_11rem_12rem]">
      <TextField
        label={text.models.list.search}
        hideLabel
        type="search"
        maxLength={limits.modelSearchLength}
        placeholder={text.models.list.searchHint}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <SelectField
        label={text.models.list.type}
        hideLabel
        value={filter.type ?? ""}
        onChange={(event) => onChange({ ...filter, type: event.target.value || undefined })}
      >
        <option value="">{text.models.list.anyType}</option>
        {types.map((type) => (
          <option key={type}>{type}</option>
        ))}
      </SelectField>
      <SelectField
        label={text.models.list.sort}
        hideLabel
        value={filter.sort ?? DEFAULT_SORT}
        onChange={(event) => isSortKey(event.target.value) && onChange({ ...filter, sort: event.target.value })}
      >
        {Object.entries(text.models.list.sorts).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
    </search>
  );
}
