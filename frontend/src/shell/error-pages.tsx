import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { isMissingChunk, reloadForNewVersion } from "../browser/load-chunk";
import { text } from "../text";
import { buttonClass } from "../ui/button";
import { Page, PageTitle } from "../ui/layout";
import { QueryFailure } from "../ui/notice";

export function NotFound() {
  const words = text.shell.notFound;
  return (
    <Page>
      <PageTitle lead={words.body}>{words.title}</PageTitle>
      <Link to="/" className={buttonClass({ look: "primary" })}>
        {words.back}
      </Link>
    </Page>
  );
}

/** The error boundary of each page, inside the shell: shows the error of a page that failed to load or to render. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  useEffect(() => {
    if (isMissingChunk(error)) void reloadForNewVersion();
  }, [error]);
  const retry = async () => {
    // A part of the program that did not arrive is loaded again before the page renders.
    const components = router.state.matches.map((match) => router.routesById[match.routeId]?.options.component);
    await Promise.all(components.map((component) => component && "preload" in component && component.preload?.()));
    await router.invalidate();
    reset();
  };
  return (
    <Page>
      <QueryFailure error={error} onRetry={() => void retry()} />
    </Page>
  );
}
