import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useAccess } from "../access/access";
import { useSignOut } from "../access/sign-out";
import { api, unwrap } from "../api/client";
import { toProblem } from "../api/problem";
import { Time } from "../format/time";
import { RecordTable, type Row } from "../people/record-table";
import { text } from "../text";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Page, PageTitle, Section, Skeleton } from "../ui/layout";
import { ProblemNotice, QueryFailure, WarningNotice } from "../ui/notice";

const words = text.account;

const sessionsQuery = () =>
  queryOptions({
    queryKey: ["account", "sessions"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/account/sessions", { signal })),
  });

/** One's own password and sessions. */
export function AccountPage() {
  const access = useAccess();
  useEffect(() => {
    document.title = text.shell.formatTitle(words.title);
  }, []);
  if (!access?.signed_in) {
    return (
      <Page>
        <PageTitle>{words.title}</PageTitle>
        <WarningNotice>{words.openAccess}</WarningNotice>
      </Page>
    );
  }
  return (
    <Page>
      <PageTitle lead={words.lead(access.role)}>{access.name ?? words.title}</PageTitle>
      {access.kind === "person" ? (
        <PasswordSection name={access.name ?? ""} />
      ) : (
        <Section title={words.password.heading}>
          <p className="text-ink-2 text-sm">{words.password.none}</p>
        </Section>
      )}
      <SessionsSection />
    </Page>
  );
}

function PasswordSection({ name }: { name: string }) {
  const client = useQueryClient();
  const [differ, setDiffer] = useState(false);
  const change = useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) =>
      unwrap(api.PUT("/api/v1/account/password", { body })),
    onSuccess: (sessions) => client.setQueryData(sessionsQuery().queryKey, sessions),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const read = (field: string) => String(new FormData(form).get(field));
    const isSame = read("new") === read("again");
    setDiffer(!isSame);
    if (!isSame || change.isPending) return;
    change.mutate({ current_password: read("current"), new_password: read("new") }, { onSuccess: () => form.reset() });
  };
  const next = { type: "password", autoComplete: "new-password", minLength: 12, maxLength: 256, required: true };
  return (
    <Section title={words.password.heading} lead={words.password.lead}>
      <form onSubmit={submit} className="max-w-sm space-y-4">
        {/* Password managers look for the name beside the password. */}
        <input name="username" autoComplete="username" value={name} readOnly hidden />
        <TextField
          label={words.password.current}
          name="current"
          type="password"
          autoComplete="current-password"
          required
        />
        <TextField label={words.password.next} hint={words.password.nextHint} name="new" {...next} />
        <TextField
          label={words.password.again}
          error={differ ? words.password.differ : undefined}
          name="again"
          {...next}
        />
        {change.error && <ProblemNotice problem={toProblem(change.error)} />}
        {change.isSuccess && (
          <p role="status" className="text-sm">
            {words.password.changed}
          </p>
        )}
        <Button type="submit" look="primary" action="own_account" disabled={change.isPending}>
          {words.password.change}
        </Button>
      </form>
    </Section>
  );
}

function SessionsSection() {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery());
  const signOut = useSignOut();
  const end = useMutation({
    mutationFn: (session_id: string) =>
      unwrap(api.DELETE("/api/v1/account/sessions/{session_id}", { params: { path: { session_id } } })),
    onSuccess: (left) => client.setQueryData(sessionsQuery().queryKey, left),
    onError: () => void client.invalidateQueries({ queryKey: sessionsQuery().queryKey }),
  });
  const found = sessions.data?.sessions ?? [];
  const rows = found.map(
    (session): Row => ({
      key: session.session_id,
      title: (
        <>
          <bdi className="break-words">{session.browser ?? words.sessions.unknown}</bdi>
          {session.is_current && <span className="block font-normal text-ink-3 text-sm">{words.sessions.here}</span>}
        </>
      ),
      cells: [
        <Time key="since" at={session.created_at} />,
        <Time key="used" at={session.last_seen_at} form="relative" />,
        <Time key="ends" at={session.expires_at} />,
      ],
      actions: !session.is_current && (
        <Button small disabled={end.isPending} onClick={() => end.mutate(session.session_id)}>
          {words.sessions.end}
        </Button>
      ),
    }),
  );
  return (
    <Section
      title={words.sessions.heading}
      actions={
        found.length > 0 && (
          <Button onClick={() => signOut.mutate(true)} disabled={signOut.isPending}>
            {words.sessions.everywhere}
          </Button>
        )
      }
    >
      {sessions.isPending && <Skeleton className="h-24" />}
      {sessions.error && <QueryFailure error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {end.error && (
        <div className="mb-3">
          <ProblemNotice problem={toProblem(end.error)} />
        </div>
      )}
      {sessions.data && found.length === 0 && <p className="text-ink-2 text-sm">{words.sessions.none}</p>}
      {found.length > 0 && (
        <RecordTable
          caption={words.sessions.heading}
          columns={[words.sessions.session, words.sessions.since, words.sessions.lastUsed, words.sessions.ends]}
          rows={rows}
        />
      )}
    </Section>
  );
}
