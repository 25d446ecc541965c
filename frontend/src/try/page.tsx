import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import type { NamedFile } from "../browser/named-files";
import { useFileDrop } from "../browser/use-file-drop";
import { type ModelChoice, ModelSelect } from "../models/model-select";
import { text } from "../text";
import { Page, PageTitle, Skeleton } from "../ui/layout";
import { Empty, QueryFailure } from "../ui/notice";
import { BatchPanel } from "./batch/batch-panel";
import { ClipResult } from "./clip-result";
import { ClipSource } from "./clip-source";
import { type Clip, makeClip } from "./prediction-query";
import { type TrySearch, toModelParam } from "./search-params";
import { useChosenClip } from "./use-chosen-clip";

const route = getRouteApi("/try");
const words = text.tryIt;

/** Predicts a recording, or a folder of them, with one model or two. The address says which, and where in the clip. */
export function TryPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const update = useCallback(
    (change: { [Key in keyof TrySearch]?: TrySearch[Key] | undefined }) =>
      void navigate({ search: (before) => ({ ...before, ...change }) as TrySearch, replace: true, resetScroll: false }),
    [navigate],
  );
  const [own, setOwn] = useState<Clip>();
  const [folder, setFolder] = useState<NamedFile[]>();
  const { clip, loading, error, retry } = useChosenClip(own, search.clip);
  const first: ModelChoice = search.model ?? "live";
  const leave = { clip: undefined, t: undefined, from: undefined, to: undefined };

  const showClip = (next: Clip) => {
    setFolder(undefined);
    setOwn(next);
    update(leave);
  };
  const take = (files: NamedFile[]) => {
    const [only, second] = files;
    if (only && !second) return showClip(makeClip(only.file.name, only.file));
    setOwn(undefined);
    setFolder(files);
    update(leave);
  };
  const showDemo = (name: string) => {
    setFolder(undefined);
    setOwn(undefined);
    update({ ...leave, clip: name });
  };
  useFileDrop(take, true);

  return (
    <Page>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <ClipSource
        chosen={own || folder ? undefined : search.clip}
        onFiles={take}
        onRecording={showClip}
        onDemo={showDemo}
      />
      <div className="mt-6 flex flex-wrap gap-4">
        <ModelSelect
          label={words.models.first}
          value={first}
          onChange={(choice) => update({ model: toModelParam(choice) })}
        />
        <ModelSelect
          label={words.models.second}
          value={search.compare}
          optional
          onChange={(compare) => update({ compare })}
        />
      </div>
      <div className="mt-8">
        {folder ? (
          <BatchPanel key={describeFiles(folder)} files={folder} first={first} second={search.compare} />
        ) : clip ? (
          <ClipResult key={clip.key} clip={clip} first={first} second={search.compare} view={search} onView={update} />
        ) : error ? (
          <QueryFailure error={error} onRetry={retry} />
        ) : loading ? (
          <Skeleton className="h-96 w-full" />
        ) : (
          <Empty title={words.emptyTitle}>{words.empty}</Empty>
        )}
      </div>
    </Page>
  );
}

const describeFiles = (files: readonly NamedFile[]) =>
  files.map(({ file, path }) => `${path} ${file.size} ${file.lastModified}`).join("\n");
