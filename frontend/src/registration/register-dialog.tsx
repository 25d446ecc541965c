import { useCallback, useState } from "react";
import type { NamedFile } from "../browser/named-files";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import type { ModelFiles } from "./dropped-files";
import { FilePicker } from "./file-picker";
import { RegisterForm } from "./register-form";

const words = text.models.register;

interface Props {
  /** Files that were dropped on the page; the model among them is uploaded at once. */
  dropped: readonly NamedFile[] | undefined;
  onClose: () => void;
}

interface Picked {
  path: string;
  /** Set for a model that was uploaded with this dialog. */
  files: ModelFiles | undefined;
}

/** Registers a model in two steps: first the files (picked or uploaded), then its metadata. */
export function RegisterDialog({ dropped, onClose }: Props) {
  const [picked, setPicked] = useState<Picked>();
  const [sending, setSending] = useState(false);
  const [asking, setAsking] = useState(false);
  const pick = useCallback((path: string, files?: ModelFiles) => setPicked({ path, files }), []);
  const close = () => {
    if (sending || picked?.files) setAsking(true);
    else onClose();
  };
  return (
    <>
      <Dialog
        open
        onOpenChange={(open) => !open && close()}
        title={words.title}
        description={picked?.path ?? words.lead}
        wide
      >
        {picked === undefined ? (
          <FilePicker dropped={dropped} onPicked={pick} onBusy={setSending} />
        ) : (
          <RegisterForm
            path={picked.path}
            files={picked.files}
            onBack={() => setPicked(undefined)}
            onRegistered={onClose}
          />
        )}
      </Dialog>
      {asking && (sending || picked?.files) && (
        <Dialog
          open
          onOpenChange={(open) => !open && setAsking(false)}
          title={words.discard.title}
          description={picked ? words.discard.uploaded(picked.path) : words.discard.sending}
        >
          <DialogActions>
            <Button look="primary" onClick={() => setAsking(false)}>
              {words.discard.keep}
            </Button>
            <Button look="danger" onClick={onClose}>
              {words.discard.confirm}
            </Button>
          </DialogActions>
        </Dialog>
      )}
    </>
  );
}
