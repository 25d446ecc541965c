import { QueryClient } from "@tanstack/react-query";
import { ProblemError } from "./problem";

const MAX_RETRIES = 2;

/** The cache of the server's answers. Events invalidate it; a refused request (status below 500) is not sent again. */
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
