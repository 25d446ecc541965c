import { useState, useSyncExternalStore } from "react";
import { text } from "../text";
import { Section } from "../ui/layout";
import { alarms } from "./alarms";

const words = text.microphone.alarms;

/** Switches sound and notifications of the browser. */
export function AlarmSwitches() {
  const settings = useSyncExternalStore(alarms.subscribe, () => alarms.settings);
  const [refused, setRefused] = useState(false);
  return (
    <Section title={words.title} lead={words.which}>
      <div className="flex flex-wrap gap-x-6 gap-y-2 text-sm">
        <Switch label={words.sound} checked={settings.sound} onChange={(on) => alarms.setSound(on)} />
        <Switch
          label={words.notify}
          checked={settings.notify}
          onChange={(on) => void alarms.setNotify(on).then((allowed) => setRefused(!allowed))}
        />
      </div>
      <p role="status" className="mt-2 text-sm text-warn">
        {refused && words.refused}
      </p>
    </Section>
  );
}

function Switch({ label, checked, onChange }: { label: string; checked: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="flex h-8 items-center gap-2">
      <input
        type="checkbox"
        className="size-4 accent-accent"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
