import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { toProblem } from "../api/problem";
import type { FreezeWindow, Policies } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextArea, TextField } from "../ui/field";
import { Fact, Facts, Panel, Section } from "../ui/layout";
import { ProblemNotice, QueryFailure } from "../ui/notice";
import { policiesQuery, useUpdatePolicies } from "./api";
import { formatWindow } from "./held-notices";

const words = text.policies;

/** The policies of activations, which an admin changes. */
export function PoliciesSection() {
  const query = useQuery(policiesQuery());
  const [editing, setEditing] = useState(false);
  const policies = query.data?.policies;
  return (
    <Section
      title={words.title}
      lead={words.lead}
      actions={
        policies && (
          <Button action="policies" onClick={() => setEditing(true)}>
            {words.change}
          </Button>
        )
      }
    >
      {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
      {policies && (
        <Panel className="p-5 sm:p-6">
          <Facts className="sm:grid-cols-2 lg:grid-cols-4">
            <Fact name={words.fourEyes}>
              {policies.four_eyes ? words.expiresAfter(policies.request_hours) : words.off}
            </Fact>
            <Fact name={words.freezes}>
              {policies.freezes.length === 0 ? words.off : policies.freezes.map(formatWindow).join("; ")}
            </Fact>
            <Fact name={words.confirmation}>
              {policies.confirm_minutes == null ? words.off : words.within(policies.confirm_minutes)}
            </Fact>
            <Fact name={words.signature}>
              {policies.signers.length === 0 ? words.off : words.signers(policies.signers.map(({ name }) => name))}
            </Fact>
          </Facts>
        </Panel>
      )}
      {editing && policies && <PoliciesDialog policies={policies} onClose={() => setEditing(false)} />}
    </Section>
  );
}

function PoliciesDialog({ policies, onClose }: { policies: Policies; onClose: () => void }) {
  const update = useUpdatePolicies();
  const [fourEyes, setFourEyes] = useState(policies.four_eyes);
  const [hours, setHours] = useState(String(policies.request_hours));
  const [freezes, setFreezes] = useState(policies.freezes.map(formatWindow).join("\n"));
  const [minutes, setMinutes] = useState(policies.confirm_minutes == null ? "" : String(policies.confirm_minutes));
  const windows = parseWindows(freezes);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (windows === undefined || update.isPending) return;
    update.mutate(
      {
        four_eyes: fourEyes,
        request_hours: Number(hours),
        freezes: windows,
        confirm_minutes: minutes === "" ? null : Number(minutes),
      },
      { onSuccess: onClose },
    );
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={words.title} description={words.editLead}>
      <form onSubmit={send} className="space-y-4">
        <label className="flex items-baseline gap-2 text-sm">
          <input
            type="checkbox"
            className="accent-accent"
            checked={fourEyes}
            onChange={(event) => setFourEyes(event.target.checked)}
          />
          <span>
            <span className="font-medium">{words.fourEyes}</span>
            <span className="block text-ink-2">{words.fourEyesHint}</span>
          </span>
        </label>
        <TextField
          label={words.hours}
          type="number"
          min={1}
          max={720}
          required
          value={hours}
          onChange={(event) => setHours(event.target.value)}
        />
        <TextArea
          label={words.freezes}
          hint={words.freezesHint}
          error={windows === undefined ? words.freezesWrong : undefined}
          value={freezes}
          onChange={(event) => setFreezes(event.target.value)}
        />
        <TextField
          label={words.minutes}
          hint={words.minutesHint}
          type="number"
          min={1}
          max={10_080}
          value={minutes}
          onChange={(event) => setMinutes(event.target.value)}
        />
        {update.error && <ProblemNotice problem={toProblem(update.error)} />}
        <DialogActions>
          <Button onClick={onClose}>{text.common.cancel}</Button>
          <Button type="submit" look="primary" action="policies" disabled={update.isPending || windows === undefined}>
            {words.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Reads one span a line, such as `fri 16:00 - mon 08:00 Europe/Berlin`; undefined where a line is none. */
export function parseWindows(lines: string): FreezeWindow[] | undefined {
  const windows: FreezeWindow[] = [];
  for (const line of lines.split("\n").map((each) => each.trim())) {
    if (line === "") continue;
    const found = /^(?<begins>.+?) - (?<ends>.+) (?<time_zone>\S+)$/.exec(line)?.groups;
    if (!found) return undefined;
    const { begins = "", ends = "", time_zone = "" } = found;
    windows.push({ begins, ends, time_zone });
  }
  return windows;
}
