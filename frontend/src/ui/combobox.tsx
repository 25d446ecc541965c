import clsx from "clsx";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { text } from "../text";
import { CONTROL } from "./field";
import { ChevronDownIcon } from "./icons";

export interface Choice<T> {
  value: T;
  name: string;
  /** A second, quieter part of the line. */
  note?: string | undefined;
}

interface Props<T> {
  label: string;
  hideLabel?: boolean;
  className?: string;
  /** The name of what is chosen; it stands in the field. */
  chosen: string;
  value: T;
  choices: readonly Choice<T>[];
  /** A line below the choices: that more match, or that none does. */
  footnote?: string | undefined;
  /** Called with the text typed, and with an empty text when the list closes. */
  onSearch: (typed: string) => void;
  onChoose: (value: T) => void;
}

/** A field that searches while its user types and offers what was found: the ARIA combobox with a list. */
export function Combobox<T>({ label, hideLabel = false, className, chosen, onSearch, onChoose, ...list }: Props<T>) {
  const { choices, value, footnote } = list;
  const id = useId();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState<string>();
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const active = Math.min(at, choices.length - 1);

  useEffect(() => {
    if (open) document.getElementById(`${id}-${active}`)?.scrollIntoView?.({ block: "nearest" });
  }, [open, active, id]);

  const show = () => {
    if (open) return;
    setOpen(true);
    setAt(
      Math.max(
        0,
        choices.findIndex((choice) => choice.value === value),
      ),
    );
  };
  const close = () => {
    setOpen(false);
    setTyped(undefined);
    onSearch("");
  };
  const choose = (choice: Choice<T> | undefined) => {
    if (!choice) return;
    close();
    onChoose(choice.value);
  };
  const type = (next: string) => {
    setTyped(next);
    setOpen(true);
    setAt(0);
    onSearch(next);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && open) choose(choices[active]);
    else if (event.key === "Escape" && open) close();
    else if (event.key === "ArrowDown" && !open) show();
    else if (event.key === "ArrowDown") setAt(Math.min(active + 1, choices.length - 1));
    else if (event.key === "ArrowUp" && open) setAt(Math.max(active - 1, 0));
    else return;
    event.preventDefault();
  };

  return (
    <div className={clsx("relative", className)}>
      <label htmlFor={id} className={clsx("mb-1 block font-medium text-sm", hideLabel && "sr-only")}>
        {label}
      </label>
      <div className="relative">
        <input
          ref={input}
          id={id}
          role="combobox"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          {...(open && active >= 0 && { "aria-activedescendant": `${id}-${active}` })}
          autoComplete="off"
          spellCheck={false}
          title={chosen}
          // While it is open the field holds what is searched for; what is chosen shows behind it.
          value={open ? (typed ?? "") : chosen}
          placeholder={chosen}
          onChange={(event) => type(event.target.value)}
          onClick={show}
          onFocus={(event) => event.target.select()}
          onBlur={() => open && close()}
          onKeyDown={press}
          className={clsx(CONTROL, "h-10 truncate pr-9")}
        />
        <span className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-ink-2">
          <ChevronDownIcon />
        </span>
      </div>
      <div
        hidden={!open}
        className="absolute inset-x-0 top-full z-30 mt-1 rounded-lg border border-line bg-surface p-1 shadow-lg"
      >
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label={text.common.choicesOf(label)}
          className="max-h-72 overflow-y-auto"
        >
          {(open ? choices : []).map((choice, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, as ARIA asks
            <div
              key={String(choice.value)}
              id={`${id}-${index}`}
              role="option"
              aria-selected={choice.value === value}
              // Pressing must not take the focus from the field, which would close the list.
              onMouseDown={(event) => event.preventDefault()}
              onMouseMove={() => setAt(index)}
              onClick={() => choose(choice)}
              className={clsx(
                "cursor-pointer break-words rounded px-3 py-2 text-sm",
                index === active && "bg-sunken",
                choice.value === value && "font-semibold",
              )}
            >
              <bdi>{choice.name}</bdi>
              {choice.note && <span className="ml-2 font-normal text-ink-3">{choice.note}</span>}
            </div>
          ))}
        </div>
        {open && footnote && <p className="px-3 py-2 text-ink-2 text-sm">{footnote}</p>}
      </div>
    </div>
  );
}
