import { skipToken, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Time } from "../format/time";
import { text } from "../text";
import { Digest } from "../ui/copy-button";
import { TextField } from "../ui/field";
import { Panel, Section } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import { findLiveModelAt } from "./live-model-at";

const words = text.operations.moment;

/** Finds in the history the model that was live at a given time. */
export function LiveModelLookup() {
  const [typed, setTyped] = useState("");
  const given = typed === "" ? Number.NaN : new Date(typed).getTime();
  const future = given > Date.now();
  const moment = future ? Number.NaN : given;
  const query = useQuery({
    queryKey: ["history", "live-at", moment],
    queryFn: Number.isNaN(moment) ? skipToken : ({ signal }) => findLiveModelAt(moment, signal),
  });
  return (
    <Section title={words.title}>
      <Panel className="flex flex-wrap items-end gap-x-8 gap-y-4 p-5 sm:p-6">
        <TextField
          label={words.when}
          type="datetime-local"
          step={1}
          value={typed}
          error={future ? words.future : undefined}
          onChange={(event) => setTyped(event.target.value)}
          className="max-w-60"
        />
        <div
          aria-live="polite"
          className="flex min-w-0 basis-full sm:min-h-10 sm:flex-1 sm:basis-72 flex-wrap items-center gap-x-4 text-sm"
        >
          {query.isLoading && <p className="text-ink-2">{words.working}</p>}
          {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
          {query.data === null && <p>{words.nothing}</p>}
          {query.data && (
            <>
              <p className="font-semibold">
                {words.answer(query.data.entry.model_name ?? `#${query.data.entry.model_id}`)}
              </p>
              <p className="text-ink-2">
                {words.since} <Time at={query.data.entry.at} form="exact" /> {words.until}{" "}
                {query.data.until ? <Time at={query.data.until} form="exact" /> : words.now}
              </p>
              {query.data.entry.digest && <Digest value={query.data.entry.digest} />}
            </>
          )}
        </div>
      </Panel>
    </Section>
  );
}
