import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { filesQuery } from "../api/queries";
import type { NamedFile } from "../browser/named-files";
import { formatBytes } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { Button } from "../ui/button";
import { DropZone } from "../ui/drop-zone";
import { Skeleton } from "../ui/layout";
import { ProblemNotice, QueryFailure, WarningNotice } from "../ui/notice";
import { ProgressBar } from "../ui/progress-bar";
import { type FilesProblem, MODEL_SUFFIXES, type ModelFiles, sortModelFiles, suggestOtherName } from "./dropped-files";
import { useUpload } from "./use-upload";

const words = text.models.register;
const ACCEPT = [...MODEL_SUFFIXES, ".json", ".txt", ".csv", "audio/*"].join(",");
const NAME_TAKEN = "file_exists";

interface Props {
  dropped: readonly NamedFile[] | undefined;
  onPicked: (path: string, files?: ModelFiles) => void;
  /** Called with true while a file is being sent. */
  onBusy: (busy: boolean) => void;
}

/** Lists the unregistered files of the models folder and takes an upload: a model and what belongs to it. */
export function FilePicker({ dropped, onPicked, onBusy }: Props) {
  const upload = useUpload(onPicked);
  const [fault, setFault] = useState<FilesProblem>();
  const sent = useRef<readonly NamedFile[]>(undefined);
  const { start, refused, sending } = upload;
  const busy = sending !== undefined;
  useEffect(() => {
    onBusy(busy);
    return () => onBusy(false);
  }, [busy, onBusy]);

  const take = async (files: readonly NamedFile[]) => {
    const sorted = await sortModelFiles(files);
    setFault("problem" in sorted ? sorted : undefined);
    if (!("problem" in sorted)) await start(sorted);
  };
  useEffect(() => {
    if (!dropped || sent.current === dropped) return;
    sent.current = dropped;
    void take(dropped);
  });

  if (sending) {
    return (
      <UploadProgress
        key={sending.name}
        name={sending.name}
        size={sending.files.model.size}
        fraction={upload.fraction}
        onCancel={upload.cancel}
      />
    );
  }
  return (
    <>
      <DropZone
        multiple
        accept={ACCEPT}
        title={words.drop}
        hint={words.formats}
        choose={words.choose}
        onFiles={(files) => void take(files)}
      />
      <div className="mt-4 empty:hidden">
        {fault && <WarningNotice>{words.faults[fault.problem](fault.name)}</WarningNotice>}
        {refused && (
          <ProblemNotice
            problem={refused.problem}
            actions={
              refused.problem.code === NAME_TAKEN && (
                <Button small onClick={() => void start(refused.files, suggestOtherName(refused.name))}>
                  {words.uploadAs(suggestOtherName(refused.name))}
                </Button>
              )
            }
          />
        )}
      </div>
      <h3 className="mt-6 mb-2 font-medium text-sm">{words.onDisk}</h3>
      <FilesOnDisk onPicked={onPicked} />
    </>
  );
}

function FilesOnDisk({ onPicked }: { onPicked: (path: string) => void }) {
  const files = useQuery(filesQuery());
  if (files.error) return <QueryFailure error={files.error} onRetry={() => void files.refetch()} />;
  if (!files.data) return <Skeleton className="h-32 w-full" />;
  if (files.data.files.length === 0) return <p className="text-ink-2 text-sm">{words.noneOnDisk}</p>;
  return (
    <ul className="divide-y divide-line rounded-lg border border-line">
      {files.data.files.map((file) => (
        <li key={file.file_path}>
          {file.note ? (
            <div className="px-4 py-3 text-sm">
              <p className="break-all font-medium">{file.file_path}</p>
              <p className="mt-1 break-words text-ink-2">{file.note}</p>
            </div>
          ) : (
            <button
              type="button"
              onClick={() => onPicked(file.file_path)}
              className="flex w-full flex-wrap items-baseline justify-between gap-x-4 px-4 py-3 text-left text-sm hover:bg-sunken"
            >
              <span className="min-w-0 break-all font-medium">{file.file_path}</span>
              <span className="flex gap-4 text-ink-2">
                <span>{formatBytes(file.bytes)}</span>
                <Time at={file.modified_at} />
              </span>
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

interface ProgressProps {
  name: string;
  size: number;
  fraction: number;
  onCancel: () => void;
}

function UploadProgress({ name, size, fraction, onCancel }: ProgressProps) {
  const label = words.uploading(name);
  return (
    <div className="py-6">
      <div className="flex items-baseline justify-between gap-4 text-sm">
        <p className="min-w-0 break-all font-medium">{label}</p>
        <p className="whitespace-nowrap text-ink-2">
          {formatBytes(fraction * size)} / {formatBytes(size)}
        </p>
      </div>
      <ProgressBar label={label} value={fraction} className="mt-3 h-2 rounded-full" />
      <div className="mt-5 flex justify-end">
        <Button onClick={onCancel}>{words.cancelUpload}</Button>
      </div>
    </div>
  );
}
