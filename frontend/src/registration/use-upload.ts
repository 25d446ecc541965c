import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { toProblem } from "../api/problem";
import type { Problem } from "../api/types";
import { uploadModel } from "../api/upload";
import type { ModelFiles } from "./dropped-files";

interface Sending {
  files: ModelFiles;
  name: string;
}

/** Uploads one file at a time. Unmounting cancels the upload; the server then removes the partial file. */
export function useUpload(onDone: (path: string, files: ModelFiles) => void) {
  const client = useQueryClient();
  const abort = useRef<AbortController>(undefined);
  const [sending, setSending] = useState<Sending>();
  const [fraction, setFraction] = useState(0);
  const [refused, setRefused] = useState<Sending & { problem: Problem }>();

  useEffect(() => () => abort.current?.abort(), []);

  const start = useCallback(
    async (files: ModelFiles, name = files.model.name) => {
      const controller = new AbortController();
      abort.current = controller;
      setSending({ files, name });
      setFraction(0);
      setRefused(undefined);
      try {
        const uploaded = await uploadModel(files.model, name, setFraction, controller.signal);
        void client.invalidateQueries({ queryKey: ["models", "files"] });
        onDone(uploaded.file_path, files);
      } catch (error) {
        if (!controller.signal.aborted) setRefused({ files, name, problem: toProblem(error) });
      } finally {
        setSending(undefined);
      }
    },
    [client, onDone],
  );
  const cancel = useCallback(() => abort.current?.abort(), []);

  return useMemo(() => ({ sending, fraction, refused, start, cancel }), [sending, fraction, refused, start, cancel]);
}
