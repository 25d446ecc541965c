import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useAccess } from "../access/access";
import type { Role, User } from "../api/types";
import { Time } from "../format/time";
import { text } from "../text";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Section, Skeleton } from "../ui/layout";
import { Menu } from "../ui/menu";
import { QueryFailure } from "../ui/notice";
import { useAddUser, useRemoveUser, usersQuery, useSignOutUser, useUpdateUser } from "./api";
import {
  FormDialog,
  makeChoice,
  type PasswordChoice,
  PasswordFields,
  PersonRoleField,
  type Secret,
  SecretDialog,
} from "./dialogs";
import { RecordTable, type Row, StateMark } from "./record-table";

const words = text.people.person;
const columns = text.people.columns;

type Step = "role" | "password" | "disable" | "signOut" | "remove";

/** The people who may sign in. */
export function PeopleSection() {
  const users = useQuery(usersQuery());
  const access = useAccess();
  const [adding, setAdding] = useState(false);
  const [chosen, setChosen] = useState<{ user: User; step: Step }>();
  const [secret, setSecret] = useState<Secret>();
  const close = () => {
    setAdding(false);
    setChosen(undefined);
  };
  const finish = (name: string, password: PasswordChoice) => {
    close();
    if (password.made) {
      const { passwordTitle, password: label } = text.people.once;
      setSecret({ title: passwordTitle(name), label, value: password.value });
    }
  };
  const rows = (users.data ?? []).map((user): Row => {
    return {
      key: user.principal_id,
      title: <PersonName user={user} isMe={user.principal_id === access?.principal_id} />,
      cells: [
        user.role ?? text.people.noRole,
        <StateMark key="state" state={user.disabled ? "disabled" : "active"} />,
        <Time key="added" at={user.created_at} />,
      ],
      actions: <PersonMenu user={user} onChoose={(step) => setChosen({ user, step })} />,
      ended: user.disabled,
    };
  });
  return (
    <Section
      title={words.heading}
      actions={
        <Button look="primary" onClick={() => setAdding(true)}>
          {words.add}
        </Button>
      }
    >
      {users.isPending && <Skeleton className="h-32" />}
      {users.error && <QueryFailure error={users.error} onRetry={() => void users.refetch()} />}
      {users.data && (
        <RecordTable
          caption={words.heading}
          columns={[columns.name, columns.role, columns.state, columns.added]}
          rows={rows}
        />
      )}
      {adding && <AddDialog onClose={close} onDone={finish} />}
      {chosen && <StepDialog {...chosen} onClose={close} onPassword={finish} />}
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </Section>
  );
}

function PersonName({ user, isMe }: { user: User; isMe: boolean }) {
  return (
    <>
      <span className="break-words">
        <bdi>{user.name}</bdi>
        {isMe && <span className="ml-2 font-normal text-ink-3">{text.people.you}</span>}
      </span>
      {user.issuer && (
        <span className="block break-words font-normal text-ink-3 text-sm">
          {text.people.fromProvider(user.issuer)}
        </span>
      )}
    </>
  );
}

function PersonMenu({ user, onChoose }: { user: User; onChoose: (step: Step) => void }) {
  const update = useUpdateUser(user);
  const isIdentity = user.kind === "identity";
  return (
    <Menu
      label={text.people.actionsFor(user.name)}
      items={[
        {
          label: words.changeRole,
          onSelect: () => onChoose("role"),
          ...(isIdentity && { refusal: words.ofProvider }),
        },
        {
          label: words.setPassword,
          onSelect: () => onChoose("password"),
          ...(isIdentity && { refusal: words.noPassword }),
        },
        { label: words.signOut, onSelect: () => onChoose("signOut") },
        user.disabled
          ? { label: words.enable, onSelect: () => update.mutate({ disabled: false }) }
          : { label: words.disable, onSelect: () => onChoose("disable"), danger: true },
        { label: words.remove, onSelect: () => onChoose("remove"), danger: true },
      ]}
    />
  );
}

interface AddProps {
  onClose: () => void;
  onDone: (name: string, password: PasswordChoice) => void;
}

function AddDialog({ onClose, onDone }: AddProps) {
  const add = useAddUser();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [password, setPassword] = useState(makeChoice);
  const send = () =>
    add.mutate(
      { name: name.trim(), role, password: password.value },
      { onSuccess: (user) => onDone(user.name, password) },
    );
  return (
    <FormDialog
      title={words.addTitle}
      submit={words.add}
      pending={add.isPending}
      error={add.error}
      onSubmit={send}
      onClose={onClose}
    >
      <TextField
        label={words.name}
        hint={words.nameHint}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        maxLength={100}
        required
      />
      <PersonRoleField value={role} onChange={setRole} />
      <PasswordFields value={password} onChange={setPassword} />
    </FormDialog>
  );
}

interface StepProps {
  user: User;
  step: Step;
  onClose: () => void;
  onPassword: (name: string, password: PasswordChoice) => void;
}

function StepDialog({ user, step, onClose, onPassword }: StepProps) {
  const update = useUpdateUser(user);
  const signOut = useSignOutUser(user);
  const remove = useRemoveUser(user);
  const [role, setRole] = useState<Role>(user.role ?? "viewer");
  const [password, setPassword] = useState(makeChoice);
  const done = { onSuccess: onClose };
  const form = { submit: words.save, pending: update.isPending, error: update.error, onClose };
  if (step === "role") {
    const send = () => update.mutate({ role }, done);
    return (
      <FormDialog {...form} title={words.changeRoleTitle(user.name)} onSubmit={send}>
        <PersonRoleField value={role} onChange={setRole} />
      </FormDialog>
    );
  }
  if (step === "password") {
    const send = () =>
      update.mutate({ password: password.value }, { onSuccess: () => onPassword(user.name, password) });
    return (
      <FormDialog
        {...form}
        title={words.setPasswordTitle(user.name)}
        description={words.setPasswordLead}
        onSubmit={send}
      >
        <PasswordFields value={password} onChange={setPassword} />
      </FormDialog>
    );
  }
  const questions = {
    disable: { ...words.questions.disable, change: update, run: () => update.mutate({ disabled: true }, done) },
    signOut: { ...words.questions.signOut, change: signOut, run: () => signOut.mutate(undefined, done) },
    remove: { ...words.questions.remove, change: remove, run: () => remove.mutate(undefined, done) },
  };
  const { title, body, confirm, change, run } = questions[step];
  return (
    <FormDialog
      title={title(user.name)}
      description={body}
      submit={confirm}
      danger
      pending={change.isPending}
      error={change.error}
      onSubmit={run}
      onClose={onClose}
    />
  );
}
