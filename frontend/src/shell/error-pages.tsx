import { type ErrorComponentProps, Link } from "@tanstack/react-router";
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

/** The error boundary: shows the error of a page that failed to render. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  return (
    <Page>
      <QueryFailure error={error} onRetry={reset} />
    </Page>
  );
}
