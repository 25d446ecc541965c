import { queryOptions, useQuery } from "@tanstack/react-query";
import { createContext, use } from "react";
import { api, unwrap } from "../api/client";
import type { AccessState } from "../api/types";

/** What a button asks for; the server's table of roles decides. */
export type Action = "predict" | "rehearse" | "activate" | "edit" | "own_account" | "manage_access" | "policies";

/** The signed-in person and what they may do. Undefined until the server has said so: nothing is disabled then. */
export const AccessContext = createContext<AccessState | undefined>(undefined);

export const sessionQuery = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/session", { signal })),
    retry: false,
  });

export function useSession() {
  return useQuery(sessionQuery());
}

export function useAccess(): AccessState | undefined {
  return use(AccessContext);
}

/** Returns why the person may not do `action`, or undefined where they may. */
export function useRefusal(action: Action | undefined): string | undefined {
  const access = useAccess();
  return (action && access?.permissions[action]?.reason) || undefined;
}
