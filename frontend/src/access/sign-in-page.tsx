import { useMutation, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { type FormEvent, useEffect } from "react";
import { api, unwrap } from "../api/client";
import { mount, serverAddress } from "../api/mount";
import { toProblem } from "../api/problem";
import type { Problem } from "../api/types";
import { text } from "../text";
import { Button, buttonClass } from "../ui/button";
import { TextField } from "../ui/field";
import { ProblemNotice } from "../ui/notice";
import { sessionQuery } from "./access";

const words = text.access;

/** The server takes no longer one. */
const LONGEST_PATH = 1000;

/** Returns why a sign-in at a provider ended without a session: the server names it in the address. */
function getProviderProblem(): Problem | undefined {
  const code = new URLSearchParams(location.search).get("sign_in_problem");
  if (code === null) return undefined;
  const known = words.problems[code] ?? words.problems.sign_in_failed;
  return known && { type: "about:blank", code, status: 0, ...known };
}

/** Returns the address of the page on screen, without the problem of an earlier sign-in. */
function getNextPath(): string {
  const search = new URLSearchParams(location.search);
  search.delete("sign_in_problem");
  const path = location.pathname.slice(mount.length) || "/";
  const full = search.size > 0 ? `${path}?${search}` : path;
  return full.length > LONGEST_PATH ? path : full;
}

/** Asks for name and password, or leads to the provider. The answer sets a cookie that no script of the page can read. */
export function SignInPage({ provider }: { provider?: string | null | undefined }) {
  const client = useQueryClient();
  const signIn = useMutation({
    mutationFn: (body: { name: string; password: string }) => unwrap(api.POST("/api/v1/session", { body })),
    onSuccess: (session) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
      client.setQueryData(sessionQuery().queryKey, session);
    },
  });
  useEffect(() => {
    document.title = text.shell.formatTitle(words.title);
  }, []);

  // An attempt with a password replaces the problem of the provider.
  const problem = signIn.error ? toProblem(signIn.error) : signIn.isPending ? undefined : getProviderProblem();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({ name: String(form.get("name")), password: String(form.get("password")) });
  };

  return (
    <main className="mx-auto flex min-h-screen max-w-sm flex-col justify-center px-4 py-12">
      <p className="mb-6 font-semibold tracking-tight">{text.shell.product}</p>
      <h1 className="font-semibold text-2xl tracking-tight">{words.title}</h1>
      <p className="mt-1 text-ink-2 text-sm">{words.explain}</p>
      <form onSubmit={submit} className="mt-6 space-y-4">
        <TextField label={words.name} name="name" autoComplete="username" autoCapitalize="none" required autoFocus />
        <TextField label={words.password} name="password" type="password" autoComplete="current-password" required />
        {problem && <ProblemNotice problem={problem} />}
        <Button type="submit" look="primary" className="w-full" disabled={signIn.isPending}>
          {words.signIn}
        </Button>
      </form>
      {provider && (
        <div className="mt-6 border-line border-t pt-6">
          <a
            href={`${serverAddress}/api/v1/session/oidc?next=${encodeURIComponent(getNextPath())}`}
            className={clsx(buttonClass(), "w-full")}
          >
            {words.signInWith(provider)}
          </a>
        </div>
      )}
    </main>
  );
}
