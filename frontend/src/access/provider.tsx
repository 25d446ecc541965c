import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { toProblem } from "../api/problem";
import { AccessContext, useSession } from "./access";
import { SignInPage } from "./sign-in-page";

/**
 * Shows the page to those who may see it, and the sign-in to others.
 *
 * An answer of 401 to any request asks again who is signed in: a session can end at any time.
 */
export function AccessProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const session = useSession();
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ type, query }) => {
        if (type !== "updated" || query.state.status !== "error" || query.queryKey[0] === "session") return;
        if (toProblem(query.state.error).code === "not_signed_in") {
          void client.invalidateQueries({ queryKey: ["session"] });
        }
      }),
    [client],
  );
  if (session.isPending) return null;
  // A server that does not answer is shown by the page itself.
  if (session.data && session.data.access === "required" && !session.data.signed_in) {
    return <SignInPage provider={session.data.sign_in_with} />;
  }
  return <AccessContext value={session.data}>{children}</AccessContext>;
}
