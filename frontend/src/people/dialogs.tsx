import type { FormEvent, ReactNode } from "react";
import { toProblem } from "../api/problem";
import type { Role } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { Command } from "../ui/copy-button";
import { Dialog, DialogActions } from "../ui/dialog";
import { SelectField, TextField } from "../ui/field";
import { ProblemNotice, WarningNotice } from "../ui/notice";
import { makePassword } from "./make-password";

const words = text.people;

const PERSON_ROLES = ["viewer", "operator", "editor", "admin"] as const;
export const KEY_ROLES = [...PERSON_ROLES, "device"] as const;

interface FormDialogProps {
  title: string;
  description?: string;
  submit: string;
  pending: boolean;
  error: unknown;
  onSubmit: () => void;
  onClose: () => void;
  /** Something is taken away. */
  danger?: boolean;
  children?: ReactNode;
}

/** A dialog with a form, or with a question only; the server's refusal stands above its buttons. */
export function FormDialog({ title, description, submit, pending, error, ...rest }: FormDialogProps) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!pending) rest.onSubmit();
  };
  return (
    <Dialog open onOpenChange={(open) => !open && rest.onClose()} title={title} {...(description && { description })}>
      <form onSubmit={send} className="space-y-4">
        {rest.children}
        {error !== null && <ProblemNotice problem={toProblem(error)} />}
        <DialogActions>
          <Button onClick={rest.onClose}>{text.common.cancel}</Button>
          <Button type="submit" look={rest.danger ? "danger" : "primary"} disabled={pending}>
            {submit}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface RoleFieldProps<R extends Role> {
  label: string;
  roles: readonly R[];
  value: R;
  onChange: (role: R) => void;
}

/** A choice of roles that says what the chosen one may do. */
export function RoleField<R extends Role>({ label, roles, value, onChange }: RoleFieldProps<R>) {
  return (
    <SelectField
      label={label}
      hint={words.roleMeaning(value)}
      value={value}
      onChange={(event) => onChange(event.target.value as R)}
    >
      {roles.map((role) => (
        <option key={role}>{role}</option>
      ))}
    </SelectField>
  );
}

export const PersonRoleField = (props: Omit<RoleFieldProps<Role>, "roles" | "label">) => (
  <RoleField label={words.person.role} roles={PERSON_ROLES as readonly Role[]} {...props} />
);

/** A password to set: one that the page makes, or one that is typed. */
export interface PasswordChoice {
  value: string;
  made: boolean;
}

/** Returns a fresh choice: a password that the page makes. */
export const makeChoice = (): PasswordChoice => ({ value: makePassword(), made: true });

export function PasswordFields({
  value,
  onChange,
}: {
  value: PasswordChoice;
  onChange: (next: PasswordChoice) => void;
}) {
  const ways = [
    { made: true, label: words.person.make, hint: words.person.makeHint },
    { made: false, label: words.person.type, hint: words.person.typeHint },
  ];
  return (
    <fieldset>
      <legend className="mb-1 font-medium text-sm">{words.person.password}</legend>
      <div className="space-y-2">
        {ways.map(({ made, label, hint }) => (
          <label key={label} className="flex items-baseline gap-2 text-sm">
            <input
              type="radio"
              name="password-way"
              checked={value.made === made}
              onChange={() => onChange(made ? makeChoice() : { value: "", made })}
              className="accent-accent"
            />
            <span>
              {label}
              <span className="ml-2 text-ink-2">{hint}</span>
            </span>
          </label>
        ))}
        {!value.made && (
          <TextField
            label={words.person.password}
            hideLabel
            type="password"
            autoComplete="new-password"
            minLength={12}
            maxLength={256}
            required
            value={value.value}
            onChange={(event) => onChange({ value: event.target.value, made: false })}
          />
        )}
      </div>
    </fieldset>
  );
}

export interface Secret {
  title: string;
  label: string;
  value: string;
  /** How to use it, as a line to copy. */
  use?: string;
}

/** Shows a password or a key once. Only its button closes it, so that a stray click does not lose the secret. */
export function SecretDialog({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  return (
    <Dialog open pinned onOpenChange={onClose} title={secret.title}>
      <div className="space-y-4">
        <WarningNotice>{words.once.warning}</WarningNotice>
        <Command label={secret.label} value={secret.value} />
        {secret.use && <Command label={words.once.use} value={secret.use} />}
      </div>
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          {words.once.done}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
