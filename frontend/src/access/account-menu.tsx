import { useNavigate } from "@tanstack/react-router";
import { text } from "../text";
import { Button } from "../ui/button";
import { ChevronDownIcon } from "../ui/icons";
import { ActionMenu } from "../ui/menu";
import { useAccess } from "./access";
import { useSignOut } from "./sign-out";

const words = text.access;

/** Shows who is signed in and with which role, and ends the session. Nothing is shown while access is open. */
export function AccountMenu() {
  const access = useAccess();
  const navigate = useNavigate();
  const signOut = useSignOut();
  if (!access?.signed_in) return null;
  return (
    <ActionMenu
      trigger={
        <Button look="quiet" small title={words.roleExplain(access.role)}>
          <span className="max-w-48 truncate">{words.who(access.name ?? "", access.role)}</span>
          <ChevronDownIcon />
        </Button>
      }
      items={[
        { label: words.account, onSelect: () => void navigate({ to: "/account" }) },
        {
          label: words.peopleAndKeys,
          onSelect: () => void navigate({ to: "/people" }),
          action: "manage_access",
        },
        { label: words.signOut, onSelect: () => signOut.mutate(false) },
        { label: words.signOutEverywhere, onSelect: () => signOut.mutate(true) },
      ]}
    />
  );
}
