import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouterHistory,
} from "@tanstack/react-router";
import { mount } from "./api/mount";
import { loadChunk } from "./browser/load-chunk";
import { ModelsPage } from "./models/page";
import { parseSearchParams } from "./models/search-params";
import { NotFound, PageFailure } from "./shell/error-pages";
import { Shell } from "./shell/shell";
import { parseTrySearch } from "./try/search-params";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailure });

const models = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: ModelsPage,
  validateSearch: parseSearchParams,
});

const modelDetail = createRoute({
  getParentRoute: () => root,
  path: "/models/$id",
  component: lazyRouteComponent(() => loadChunk(() => import("./model-detail/page")), "ModelDetailPage"),
});

const tryIt = createRoute({
  getParentRoute: () => root,
  path: "/try",
  validateSearch: parseTrySearch,
  component: lazyRouteComponent(() => loadChunk(() => import("./try/page")), "TryPage"),
});

const microphone = createRoute({
  getParentRoute: () => root,
  path: "/live",
  component: lazyRouteComponent(() => loadChunk(() => import("./microphone/page")), "MicrophonePage"),
});

const operations = createRoute({
  getParentRoute: () => root,
  path: "/operations",
  component: lazyRouteComponent(() => loadChunk(() => import("./operations/page")), "OperationsPage"),
});

const people = createRoute({
  getParentRoute: () => root,
  path: "/people",
  component: lazyRouteComponent(() => loadChunk(() => import("./people/page")), "PeoplePage"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => loadChunk(() => import("./account/page")), "AccountPage"),
});

const manual = createRoute({
  getParentRoute: () => root,
  path: "/manual/$chapter",
  component: lazyRouteComponent(() => loadChunk(() => import("./manual/page")), "ManualPage"),
});

const routeTree = root.addChildren([models, modelDetail, tryIt, microphone, operations, people, account, manual]);

/** Loads the other pages' programs ahead, so that they can be opened while the server is down. */
export function preloadPages(): void {
  const pages = [modelDetail, tryIt, microphone, operations, manual, people, account];
  for (const { options } of pages) void options.component?.preload?.();
}

/** Makes the page's router. Tests pass a history in memory. */
export function makeRouter(history?: RouterHistory) {
  return createRouter({
    routeTree,
    basepath: mount || "/",
    defaultPreload: "intent",
    // A page that fails is replaced inside the shell, so that the navigation stays.
    defaultErrorComponent: PageFailure,
    scrollRestoration: true,
    ...(history && { history }),
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
