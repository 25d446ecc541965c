import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useUpdate } from "../api/mutations";
import { toProblem } from "../api/problem";
import { modelQuery } from "../api/queries";
import type { Model } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { ProblemNotice } from "../ui/notice";
import { findLabelsError, LabelsField, parseLines, useLabels } from "./labels-field";
import { type MetadataDraft, MetadataFields, toDraft, toMetadata, validateDraft } from "./metadata-fields";

/** Edits a model's metadata and labels. The file does not change. */
export function EditDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const [draft, setDraft] = useState<MetadataDraft>(() => toDraft(model));
  const [typed, setTyped] = useState<string>();
  const [tried, setTried] = useState(false);
  const update = useUpdate(model.model_id);
  const detail = useQuery(modelQuery(model.model_id)).data;
  const present = useLabels(detail);
  const labels = typed === undefined ? present : parseLines(typed);
  const changed = typed !== undefined && labels?.join("\n") !== present?.join("\n");
  const faults = validateDraft(draft);
  const labelsError = changed ? findLabelsError(labels ?? [], detail?.label_count ?? null) : undefined;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length > 0 || labelsError) return;
    const spec = changed && { spec: { labels: labels?.length ? labels : null } };
    update.mutate({ ...toMetadata(draft), ...spec }, { onSuccess: onClose });
  };

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={text.models.edit.title(model.model_name)}>
      <form onSubmit={submit} noValidate className="space-y-4">
        <MetadataFields draft={draft} faults={tried ? faults : {}} onChange={setDraft} />
        {detail && present && (
          <LabelsField
            model={detail}
            value={typed ?? present.join("\n")}
            error={tried ? labelsError : undefined}
            onChange={setTyped}
          />
        )}
        {update.error && <ProblemNotice problem={toProblem(update.error)} />}
        <DialogActions>
          <Button onClick={onClose}>{text.common.cancel}</Button>
          <Button action="edit" type="submit" look="primary" disabled={update.isPending}>
            {text.models.edit.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
