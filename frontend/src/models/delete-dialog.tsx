import { useDelete } from "../api/mutations";
import { toProblem } from "../api/problem";
import type { Model } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { ProblemNotice } from "../ui/notice";

const words = text.models.remove;

interface Props {
  model: Model;
  onClose: () => void;
  onDeleted?: () => void;
}

export function DeleteDialog({ model, onClose, onDeleted }: Props) {
  const remove = useDelete();
  const confirm = () =>
    remove.mutate(model.model_id, {
      onSuccess: () => {
        onClose();
        onDeleted?.();
      },
    });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={words.title(model.model_name)}
      description={model.is_active ? words.isLive : words.body}
    >
      {!model.is_active && <p className="break-words font-medium">{words.stays(model.file_path)}</p>}
      {remove.error && (
        <div className="mt-4">
          <ProblemNotice problem={toProblem(remove.error)} />
        </div>
      )}
      <DialogActions>
        <Button onClick={onClose}>{text.common.cancel}</Button>
        <Button action="edit" look="danger" disabled={remove.isPending || model.is_active} onClick={confirm}>
          {words.confirm}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
