import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import { sessionQuery } from "./access";

/** Ends this browser's session, or with `true` all sessions of the person; the page then forgets what it showed. */
export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (everywhere: boolean) => unwrap(api.DELETE("/api/v1/session", { params: { query: { everywhere } } })),
    onSuccess: (session) => {
      client.setQueryData(sessionQuery().queryKey, session);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    },
  });
}
