import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { toProblem } from "../api/problem";
import type { Problem } from "../api/types";
import { uploadModel } from "../api/upload";

/** Uploads one file at a time. Unmounting cancels the upload; the server then removes the partial file. */
export function useUpload(onDone: (path: string) => void) {
  const client = useQueryClient();
  const abort = useRef<AbortController>(undefined);
  const [file, setFile] = useState<File>();
  const [fraction, setFraction] = useState(0);
  const [problem, setProblem] = useState<Problem>();

  useEffect(() => () => abort.current?.abort(), []);

  const start = useCallback(
    async (chosen: File) => {
      const controller = new AbortController();
      abort.current = controller;
      setFile(chosen);
      setFraction(0);
      setProblem(undefined);
      try {
        const uploaded = await uploadModel(chosen, setFraction, controller.signal);
        void client.invalidateQueries({ queryKey: ["models", "files"] });
        onDone(uploaded.file_path);
      } catch (error) {
        if (!controller.signal.aborted) setProblem(toProblem(error));
      } finally {
        setFile(undefined);
      }
    },
    [client, onDone],
  );
  const cancel = useCallback(() => abort.current?.abort(), []);

  return useMemo(() => ({ file, fraction, problem, start, cancel }), [file, fraction, problem, start, cancel]);
}
