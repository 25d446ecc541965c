import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { restoreNavigator, setScreen } from "./browser";

// The first render of a page also imports its module.
configure({ asyncUtilTimeout: 10_000 });

beforeEach(() => {
  setScreen("wide");
  vi.stubGlobal("scrollTo", () => undefined);
});

afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
  restoreNavigator();
  vi.unstubAllGlobals();
});
