import { useEffect } from "react";
import { useAccess, useRefusal } from "../access/access";
import { text } from "../text";
import { Command } from "../ui/copy-button";
import { Page, PageTitle } from "../ui/layout";
import { Empty, WarningNotice } from "../ui/notice";
import { KeysSection } from "./keys-section";
import { PeopleSection } from "./people-section";

const words = text.people;

/** People and keys, for admins; others read why they may not change them. */
export function PeoplePage() {
  const access = useAccess();
  const refusal = useRefusal("manage_access");
  useEffect(() => {
    document.title = text.shell.formatTitle(words.title);
  }, []);
  return (
    <Page>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      {access?.access === "open" ? (
        <Empty title={words.openAccess.title}>
          <p>{words.openAccess.body}</p>
          <div className="mx-auto mt-4 max-w-md text-left">
            <Command label={words.openAccess.command} value="understudy users add NAME --role admin" />
          </div>
        </Empty>
      ) : refusal ? (
        <WarningNotice>{refusal}</WarningNotice>
      ) : (
        <>
          <PeopleSection />
          <KeysSection />
        </>
      )}
    </Page>
  );
}
