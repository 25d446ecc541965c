import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import clsx from "clsx";
import { useEffect } from "react";
import { AccountMenu } from "../access/account-menu";
import { OperationTray } from "../activation/operation-tray";
import { serverAddress } from "../api/mount";
import { formatTimeOfDay } from "../format/time";
import { ListeningIndicator } from "../microphone/listening-indicator";
import { useListening } from "../microphone/listening-provider";
import { useServerLink } from "../server-events/provider";
import { text } from "../text";
import { setTheme, type Theme, useTheme } from "../theme/theme";
import { Button } from "../ui/button";
import { ChevronDownIcon } from "../ui/icons";
import { PAGE_WIDTH } from "../ui/layout";
import { ChoiceMenu } from "../ui/menu";

const PAGES = [
  { to: "/", label: text.shell.pages.models },
  { to: "/try", label: text.shell.pages.try },
  { to: "/live", label: text.shell.pages.microphone },
  { to: "/operations", label: text.shell.pages.operations },
] as const;

/** The frame of every page: navigation, connection state and theme. */
export function Shell() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const present = PAGES.find((page) => page.to === path || (page.to === "/" && path.startsWith("/models/")));
  useEffect(() => {
    // These pages name themselves: a model and a chapter by their own names, the others outside of the navigation.
    if (!/^\/(models\/|manual\/|people$|account$)/.test(path))
      document.title = text.shell.formatTitle(present?.label ?? text.shell.notFound.title);
  }, [present, path]);
  return (
    <>
      <a
        href="#content"
        className="sr-only rounded-md bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50"
      >
        {text.shell.skip}
      </a>
      <header className="border-line border-b bg-surface">
        <div className={clsx(PAGE_WIDTH, "flex flex-wrap items-center gap-x-8")}>
          <Link to="/" className="py-4 font-semibold tracking-tight">
            {text.shell.product}
          </Link>
          <nav
            aria-label={text.shell.navigation}
            className="order-last -mx-2 flex w-[calc(100%+1rem)] justify-between sm:order-none sm:mx-0 sm:w-auto sm:justify-start sm:gap-2"
          >
            {PAGES.map((page) => (
              <Link
                key={page.to}
                to={page.to}
                activeOptions={{ exact: true, includeSearch: false }}
                className={clsx(
                  "border-b-2 px-2 py-3 text-sm hover:text-ink sm:py-4.5",
                  page === present ? "border-accent font-medium text-ink" : "border-transparent text-ink-2",
                )}
              >
                {page.label}
              </Link>
            ))}
          </nav>
          <div className="ml-auto flex min-w-0 flex-wrap items-center justify-end gap-x-4 gap-y-1">
            <ListeningIndicator />
            <LinkIndicator />
            <HelpLinks className="max-sm:hidden" />
            <AccountMenu />
            <ThemeMenu />
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1} className="outline-none">
        <Outlet />
      </main>
      {/* On a phone the bar has no room for them. */}
      <footer className={clsx(PAGE_WIDTH, "pb-8 sm:hidden")}>
        <HelpLinks />
      </footer>
      <OperationTray />
    </>
  );
}

function HelpLinks({ className }: { className?: string }) {
  return (
    <nav aria-label={text.shell.help} className={clsx("flex gap-4 text-ink-2 text-sm", className)}>
      <Link to="/manual/$chapter" params={{ chapter: "guide" }} className="hover:text-ink">
        {text.manual.title}
      </Link>
      <a href={`${serverAddress}/docs`} className="hover:text-ink">
        {text.manual.api}
      </a>
    </nav>
  );
}

function LinkIndicator() {
  const { state, knownAt } = useServerLink();
  const listening = useListening().state.connection !== "idle";
  return (
    <p role="status" title={text.shell.feed.explain[state]} className="flex items-center gap-2 text-ink-2 text-sm">
      <span
        aria-hidden="true"
        className={clsx(
          "size-2 rounded-full",
          state === "open" && "bg-accent",
          state === "connecting" && "bg-line-strong",
          state === "polling" && "bg-warn",
          state === "offline" && "bg-danger",
        )}
      />
      <span className={clsx(state === "open" && listening && "max-sm:sr-only")}>
        {text.shell.feed[state]}
        {state === "offline" && (
          <span className="max-sm:sr-only">. {text.shell.feed.lastKnown(formatTimeOfDay(knownAt / 1000))}</span>
        )}
      </span>
    </p>
  );
}

const THEMES: readonly { value: Theme; label: string }[] = [
  { value: "system", label: text.shell.theme.system },
  { value: "light", label: text.shell.theme.light },
  { value: "dark", label: text.shell.theme.dark },
];

function ThemeMenu() {
  const theme = useTheme();
  return (
    <ChoiceMenu
      value={theme}
      onChange={setTheme}
      choices={THEMES}
      trigger={
        <Button look="quiet" small className="-mr-2">
          {text.shell.theme.label}
          <ChevronDownIcon />
        </Button>
      }
    />
  );
}
