import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import { text } from "../text";
import { Button } from "../ui/button";
import { ChevronDownIcon } from "../ui/icons";
import { ActionMenu } from "../ui/menu";
import { sessionQuery, useAccess } from "./access";

const words = text.access;

/** Shows who is signed in and with which role, and ends the session. Nothing is shown while access is open. */
export function AccountMenu() {
  const access = useAccess();
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: (everywhere: boolean) => unwrap(api.DELETE("/api/v1/session", { params: { query: { everywhere } } })),
    onSuccess: (session) => {
      client.setQueryData(sessionQuery().queryKey, session);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    },
  });
  if (!access?.signed_in) return null;
  return (
    <ActionMenu
      trigger={
        <Button look="quiet" small title={words.roleExplain(access.role)}>
          {words.who(access.name ?? "", access.role)}
          <ChevronDownIcon />
        </Button>
      }
      items={[
        { label: words.signOut, onSelect: () => signOut.mutate(false) },
        { label: words.signOutEverywhere, onSelect: () => signOut.mutate(true) },
      ]}
    />
  );
}
