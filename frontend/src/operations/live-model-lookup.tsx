import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { liveModelAtQuery } from "../api/queries";
import { formatActor } from "../format/actor";
import { Time } from "../format/time";
import { text } from "../text";
import { Digest } from "../ui/copy-button";
import { TextField } from "../ui/field";
import { Panel, Section } from "../ui/layout";
import { QueryFailure } from "../ui/notice";

const words = text.operations.moment;

/** Shows the model that was live at a given time. */
export function LiveModelLookup() {
  const [typed, setTyped] = useState("");
  const given = typed === "" ? Number.NaN : new Date(typed).getTime();
  const future = given > Date.now();
  const moment = future ? Number.NaN : given;
  const query = useQuery(liveModelAtQuery(Number.isNaN(moment) ? undefined : new Date(moment)));
  const live = query.data;
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
          {live && live.model_id === null && <p>{live.since ? words.nothing : words.before}</p>}
          {live && live.model_id !== null && (
            <>
              <p className="font-semibold">{words.answer(live.model_name ?? `#${live.model_id}`, live.precision)}</p>
              <p className="text-ink-2">
                {live.since && (
                  <>
                    {words.since} <Time at={live.since} form="exact" /> {words.until}{" "}
                    {live.until ? <Time at={live.until} form="exact" /> : words.now}
                  </>
                )}
                {live.actor && `, ${text.common.by} ${formatActor({ actor: live.actor, principal: live.principal })}`}
              </p>
              {live.digest && <Digest value={live.digest} />}
            </>
          )}
        </div>
      </Panel>
    </Section>
  );
}
