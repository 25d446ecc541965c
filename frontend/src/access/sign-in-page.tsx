import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect } from "react";
import { api, unwrap } from "../api/client";
import { toProblem } from "../api/problem";
import { text } from "../text";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { ProblemNotice } from "../ui/notice";
import { sessionQuery } from "./access";

const words = text.access;

/** Asks for name and password. The answer sets a cookie that no script of the page can read. */
export function SignInPage() {
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

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({ name: String(form.get("name")), password: String(form.get("password")) });
  };

  return (
    <main className="mx-auto flex min-h-screen max-w-sm flex-col justify-center px-4 py-12">
      <h1 className="font-semibold text-2xl tracking-tight">{words.title}</h1>
      <p className="mt-1 text-ink-2 text-sm">{words.explain}</p>
      <form onSubmit={submit} className="mt-6 space-y-4">
        <TextField label={words.name} name="name" autoComplete="username" autoCapitalize="none" required autoFocus />
        <TextField label={words.password} name="password" type="password" autoComplete="current-password" required />
        {signIn.error && <ProblemNotice problem={toProblem(signIn.error)} />}
        <Button type="submit" look="primary" className="w-full" disabled={signIn.isPending}>
          {words.signIn}
        </Button>
      </form>
    </main>
  );
}
