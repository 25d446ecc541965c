import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { text } from "../text";
import { buttonClass } from "./button";
import { Page } from "./layout";
import { Empty, QueryFailure } from "./notice";

export function NotFound() {
  const words = text.shell.notFound;
  return (
    <Page>
      <Empty
        title={words.title}
        action={
          <Link to="/" className={buttonClass({ look: "primary" })}>
            {words.back}
          </Link>
        }
      >
        {words.body}
      </Empty>
    </Page>
  );
}

/** The last boundary: a page that failed while it was drawn. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  return (
    <Page>
      <QueryFailure error={error} onRetry={reset} />
    </Page>
  );
}
