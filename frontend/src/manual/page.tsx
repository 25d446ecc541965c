import { queryOptions, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTitle } from "../browser/use-title";
import { NotFound } from "../shell/error-pages";
import { text } from "../text";
import { Page, Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import { Blocks } from "./blocks";
import { FIRST_CHAPTER, listChapters, loadChapter } from "./chapters";
import { parseMarkdown } from "./parse-markdown";

const route = getRouteApi("/manual/$chapter");
const words = text.manual;

const chapterQuery = (name: string) =>
  queryOptions({
    queryKey: ["manual", name],
    queryFn: async () => (await loadChapter(name)) ?? null,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The manual: the chapters of docs/ of the version that serves this page. */
export function ManualPage() {
  const { chapter } = route.useParams();
  const query = useQuery(chapterQuery(chapter));
  const blocks = useMemo(() => (query.data ? parseMarkdown(query.data) : []), [query.data]);
  const title = blocks.find((block) => block.kind === "heading")?.text;
  useTitle(title ?? words.title);
  useEffect(() => {
    if (blocks.length > 0 && location.hash)
      document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }, [blocks]);
  if (query.data === null) return <NotFound />;
  return (
    <Page>
      <div className="grid gap-x-12 gap-y-6 lg:grid-cols-[12rem_minmax(0,1fr)]">
        <nav aria-label={words.chapters} className="text-sm">
          <ul className="flex flex-wrap gap-x-4 gap-y-1 lg:sticky lg:top-6 lg:flex-col">
            {listChapters().map((name) => (
              <li key={name}>
                <Link
                  to="/manual/$chapter"
                  params={{ chapter: name }}
                  className="text-ink-2 underline-offset-4 hover:underline aria-[current=page]:font-medium aria-[current=page]:text-ink"
                >
                  {name === FIRST_CHAPTER ? words.first : (words.names[name] ?? name)}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <article className="min-w-0 max-w-3xl">
          {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
          {query.isPending && <Skeleton className="h-96 w-full" />}
          <Blocks blocks={blocks} />
        </article>
      </div>
    </Page>
  );
}
