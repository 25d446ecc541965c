import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, unwrap } from "../api/client";
import { toProblem } from "../api/problem";
import type { ModelIdentity } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { ProblemNotice } from "../ui/notice";
import type { SessionState } from "./session-state";

const words = text.microphone.thresholds;

/** Returns the thresholds of the model's labels that were changed here. */
export function listChangedThresholds(session: SessionState): Record<string, number> {
  const changed = Object.entries(session.ownThresholds).filter(
    ([label, threshold]) => session.labels.includes(label) && session.specThresholds[label] !== threshold,
  );
  return Object.fromEntries(changed);
}

/** Writes the thresholds that were changed here into the model's spec. */
export function SaveThresholds({ session, onSaved }: { session: SessionState; onSaved: () => void }) {
  const client = useQueryClient();
  const changed = listChangedThresholds(session);
  const saving = useMutation({
    mutationFn: (model: ModelIdentity) =>
      unwrap(
        api.PATCH("/api/v1/models/{model_id}", {
          params: { path: { model_id: model.model_id } },
          body: { spec: { thresholds: { ...session.specThresholds, ...changed } } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const { model } = session;
  const count = Object.keys(changed).length;
  if (!model || count === 0) return null;
  return (
    <div className="mt-4 space-y-3 text-sm">
      <div className="flex flex-wrap items-center gap-2">
        <p className="mr-2 text-ink-2">{words.changed(count)}</p>
        <Button action="edit" small disabled={saving.isPending} onClick={() => saving.mutate(model)}>
          {saving.isPending ? words.saving : words.save}
        </Button>
        <Button small look="quiet" onClick={onSaved}>
          {words.reset}
        </Button>
      </div>
      {saving.error && <ProblemNotice problem={toProblem(saving.error)} />}
      <p role="status">
        {saving.data && (
          <>
            {words.saved(model.model_name)}{" "}
            <Link to="/models/$id" params={{ id: String(model.model_id) }} className="underline underline-offset-4">
              {words.open}
            </Link>
          </>
        )}
      </p>
    </div>
  );
}
