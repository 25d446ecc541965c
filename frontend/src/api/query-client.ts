import { QueryClient } from "@tanstack/react-query";
import { ProblemError } from "./problem";

const MAX_RETRIES = 2;

/** Answers are fetched again when an event names them; a refusal is not asked for twice. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      networkMode: "always",
      retry: (failures, error) => {
        const status = error instanceof ProblemError ? error.problem.status : 0;
        return failures < MAX_RETRIES && (status === 0 || status >= 500);
      },
    },
    mutations: { networkMode: "always" },
  },
});
