import { type FormEvent, useState } from "react";
import { useUpdate } from "../api/mutations";
import { toProblem } from "../api/problem";
import type { Model } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { ProblemNotice } from "../ui/notice";
import { type MetadataDraft, MetadataFields, toDraft, toMetadata, validateDraft } from "./metadata-fields";

/** Edits a model's metadata. The file does not change. */
export function EditDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const [draft, setDraft] = useState<MetadataDraft>(() => toDraft(model));
  const [tried, setTried] = useState(false);
  const update = useUpdate(model.model_id);
  const faults = validateDraft(draft);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(faults).length === 0) update.mutate(toMetadata(draft), { onSuccess: onClose });
  };

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={text.models.edit.title(model.model_name)}>
      <form onSubmit={submit} noValidate className="space-y-4">
        <MetadataFields draft={draft} faults={tried ? faults : {}} onChange={setDraft} />
        {update.error && <ProblemNotice problem={toProblem(update.error)} />}
        <DialogActions>
          <Button onClick={onClose}>{text.common.cancel}</Button>
          <Button type="submit" look="primary" disabled={update.isPending}>
            {text.models.edit.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
