import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { serverAddress } from "../api/mount";
import type { MachineKey, Role } from "../api/types";
import { Time } from "../format/time";
import { text } from "../text";
import { Button } from "../ui/button";
import { SelectField, TextField } from "../ui/field";
import { Section, Skeleton } from "../ui/layout";
import { Empty, QueryFailure } from "../ui/notice";
import { keysQuery, useCreateKey, useRevokeKey, useUpdateKey } from "./api";
import { FormDialog, KEY_ROLES, RoleField, type Secret, SecretDialog } from "./dialogs";
import { RecordTable, type Row, StateMark } from "./record-table";

const words = text.people.key;
const columns = text.people.columns;
const LIFETIMES = ["30", "90", "365", ""] as const;
const FIRST_LIFETIME = "365";

/** Returns whether a key still opens the server. */
export function getKeyState(key: MachineKey, now: number): "active" | "revoked" | "expired" {
  if (key.revoked_at !== null) return "revoked";
  return key.expires_at !== null && Date.parse(key.expires_at) <= now ? "expired" : "active";
}

/** The keys of machines; those that hold come first. */
export function KeysSection() {
  const keys = useQuery(keysQuery());
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<MachineKey>();
  const [limiting, setLimiting] = useState<MachineKey>();
  const [secret, setSecret] = useState<Secret>();
  const rows = (keys.data ?? [])
    .map((key) => ({ key, state: getKeyState(key, Date.now()) }))
    .sort((one, other) => Number(other.state === "active") - Number(one.state === "active"))
    .map(({ key, state }): Row => {
      const when = (at: string | null) => (at === null ? text.people.never : <Time at={at} form="relative" />);
      return {
        key: key.principal_id,
        title: <KeyName value={key} />,
        cells: [
          <span key="prefix" className="whitespace-nowrap">{`${key.prefix}…`}</span>,
          key.role,
          <StateMark key="state" state={state} />,
          key.expires_at === null ? text.people.never : <Time key="expires" at={key.expires_at} />,
          when(key.last_used_at),
        ],
        actions: (
          <span className="inline-flex gap-2">
            <Button small disabled={state === "revoked"} onClick={() => setLimiting(key)}>
              {words.limit}
              <span className="sr-only">{` ${key.name}`}</span>
            </Button>
            <Button small disabled={state === "revoked"} onClick={() => setRevoking(key)}>
              {words.revoke}
              <span className="sr-only">{` ${key.name}`}</span>
            </Button>
          </span>
        ),
        ended: state !== "active",
      };
    });
  const create = (
    <Button look="primary" onClick={() => setCreating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Section title={words.heading} actions={create}>
      {keys.isPending && <Skeleton className="h-32" />}
      {keys.error && <QueryFailure error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.data?.length === 0 && <Empty title={words.none}>{words.noneBody}</Empty>}
      {rows.length > 0 && (
        <RecordTable
          caption={words.heading}
          columns={[columns.name, columns.key, columns.role, columns.state, columns.expires, columns.lastUsed]}
          rows={rows}
        />
      )}
      {creating && (
        <CreateDialog
          onClose={() => setCreating(false)}
          onDone={(made) => {
            setCreating(false);
            setSecret(made);
          }}
        />
      )}
      {revoking && <RevokeDialog value={revoking} onClose={() => setRevoking(undefined)} />}
      {limiting && <LimitDialog value={limiting} onClose={() => setLimiting(undefined)} />}
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </Section>
  );
}

function KeyName({ value }: { value: MachineKey }) {
  return (
    <>
      <bdi className="break-words">{value.name}</bdi>
      {value.source && (
        <span className="block break-words font-normal text-ink-3 text-sm">
          {text.people.onlyFromSource(value.source)}
        </span>
      )}
      {value.person && (
        <span className="block break-words font-normal text-ink-3 text-sm">{words.speaksFor(value.person)}</span>
      )}
    </>
  );
}

function LimitDialog({ value, onClose }: { value: MachineKey; onClose: () => void }) {
  const update = useUpdateKey(value.prefix);
  const [rate, setRate] = useState(value.requests_per_second == null ? "" : String(value.requests_per_second));
  const [atOnce, setAtOnce] = useState(value.concurrent_requests == null ? "" : String(value.concurrent_requests));
  const read = (typed: string) => (typed === "" ? null : Number(typed));
  return (
    <FormDialog
      title={words.limitTitle(value.name)}
      description={words.limitLead}
      submit={words.save}
      pending={update.isPending}
      error={update.error}
      onSubmit={() =>
        update.mutate({ requests_per_second: read(rate), concurrent_requests: read(atOnce) }, { onSuccess: onClose })
      }
      onClose={onClose}
    >
      <TextField
        label={words.rate}
        type="number"
        min={0.001}
        max={100_000}
        step="any"
        value={rate}
        onChange={(event) => setRate(event.target.value)}
      />
      <TextField
        label={words.atOnce}
        type="number"
        min={1}
        max={100_000}
        value={atOnce}
        onChange={(event) => setAtOnce(event.target.value)}
      />
    </FormDialog>
  );
}

function CreateDialog({ onClose, onDone }: { onClose: () => void; onDone: (secret: Secret) => void }) {
  const create = useCreateKey();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [source, setSource] = useState("");
  const [days, setDays] = useState<string>(FIRST_LIFETIME);
  const send = () =>
    create.mutate(
      {
        name: name.trim(),
        role,
        ...(role === "device" && { source: source.trim() }),
        ...(days && { expires_days: Number(days) }),
      },
      {
        onSuccess: (made) =>
          onDone({
            title: text.people.once.keyTitle(made.name),
            label: text.people.once.key,
            value: made.key,
            use: `curl -H "Authorization: Bearer ${made.key}" ${serverAddress || location.origin}/api/v1/session`,
          }),
      },
    );
  return (
    <FormDialog
      title={words.create}
      submit={words.create}
      pending={create.isPending}
      error={create.error}
      onSubmit={send}
      onClose={onClose}
    >
      <TextField
        label={words.name}
        hint={words.nameHint}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="off"
        maxLength={100}
        required
      />
      <RoleField label={words.role} roles={KEY_ROLES} value={role} onChange={setRole} />
      {role === "device" && (
        <TextField
          label={words.source}
          hint={words.sourceHint}
          value={source}
          onChange={(event) => setSource(event.target.value)}
          autoComplete="off"
          maxLength={100}
          required
        />
      )}
      <SelectField label={words.expires} value={days} onChange={(event) => setDays(event.target.value)}>
        {LIFETIMES.map((lifetime) => (
          <option key={lifetime} value={lifetime}>
            {words.days[lifetime]}
          </option>
        ))}
      </SelectField>
    </FormDialog>
  );
}

function RevokeDialog({ value, onClose }: { value: MachineKey; onClose: () => void }) {
  const revoke = useRevokeKey(value.prefix);
  return (
    <FormDialog
      title={words.revokeTitle(value.name)}
      description={words.revokeBody}
      submit={words.revoke}
      danger
      pending={revoke.isPending}
      error={revoke.error}
      onSubmit={() => revoke.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
