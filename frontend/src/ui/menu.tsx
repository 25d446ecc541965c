import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { type Action, useRefusal } from "../access/access";
import { Button } from "./button";
import { MoreIcon } from "./icons";

interface Item {
  label: string;
  onSelect: () => void;
  danger?: boolean;
  /** Where the person may not do it, the item is disabled and says why. */
  action?: Action;
  /** Why nobody may do it. */
  refusal?: string;
}

const ITEM =
  "flex w-full items-center gap-2 rounded px-3 py-2 text-sm outline-none data-[highlighted]:bg-sunken data-[state=checked]:font-semibold";

function MenuItem({ label, onSelect, danger, action, refusal: own }: Item) {
  const refusal = useRefusal(action) ?? own;
  const look = refusal ? "opacity-50" : danger ? "text-danger" : "";
  return (
    <Radix.Item
      onSelect={refusal ? (event) => event.preventDefault() : onSelect}
      aria-disabled={refusal !== undefined}
      title={refusal}
      className={`${ITEM} ${look}`}
    >
      {label}
      {refusal && <span className="sr-only">. {refusal}</span>}
    </Radix.Item>
  );
}

/** A menu of actions behind a button of one's own. */
export function ActionMenu({ trigger, items }: { trigger: ReactNode; items: readonly Item[] }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <MenuSheet>
        {items.map((item) => (
          <MenuItem key={item.label} {...item} />
        ))}
      </MenuSheet>
    </Radix.Root>
  );
}

/** A "more" button that opens a menu of actions. */
export function Menu({ label, items }: { label: string; items: readonly Item[] }) {
  return (
    <ActionMenu
      items={items}
      trigger={
        <Button look="quiet" small square aria-label={label}>
          <MoreIcon />
        </Button>
      }
    />
  );
}

interface ChoiceProps<T extends string> {
  trigger: ReactNode;
  value: T;
  onChange: (value: T) => void;
  choices: readonly { value: T; label: string }[];
}

/** A menu in which one entry is selected. */
export function ChoiceMenu<T extends string>({ trigger, value, onChange, choices }: ChoiceProps<T>) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <MenuSheet>
        <Radix.RadioGroup value={value} onValueChange={(chosen) => onChange(chosen as T)}>
          {choices.map((choice) => (
            <Radix.RadioItem key={choice.value} value={choice.value} className={ITEM}>
              {choice.label}
            </Radix.RadioItem>
          ))}
        </Radix.RadioGroup>
      </MenuSheet>
    </Radix.Root>
  );
}

function MenuSheet({ children }: { children: ReactNode }) {
  return (
    // All content must lie inside a landmark.
    <Radix.Portal container={document.getElementById("content")}>
      <Radix.Content
        align="end"
        sideOffset={4}
        className="z-50 min-w-40 rounded-lg border border-line bg-surface p-1 shadow-lg"
      >
        {children}
      </Radix.Content>
    </Radix.Portal>
  );
}
