import type { Operation } from "../api/types";

/** Keeps the operations that this page has seen, newest first, until a person dismisses them. */
export class OperationLog {
  #operations: readonly Operation[] = [];
  #shownInDialog: string | undefined;
  readonly #dismissed = new Set<string>();
  readonly #listeners = new Set<() => void>();

  put(operation: Operation): void {
    const known = this.#operations.find((other) => other.operation_id === operation.operation_id);
    if (this.#dismissed.has(operation.operation_id) || (known && isOlder(operation, known))) return;
    const others = this.#operations.filter((other) => other !== known);
    this.#set([operation, ...others]);
  }

  dismiss(id: string): void {
    this.#dismissed.add(id);
    this.#set(this.#operations.filter((operation) => operation.operation_id !== id));
  }

  /** Sets the operation that a dialog shows; the tray of operations leaves it out. */
  setShownInDialog(id: string | undefined): void {
    this.#shownInDialog = id;
    this.#set(this.#operations);
  }

  get shownInDialog(): string | undefined {
    return this.#shownInDialog;
  }

  get all(): readonly Operation[] {
    return this.#operations;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(operations: readonly Operation[]): void {
    this.#operations = operations;
    for (const listener of this.#listeners) listener();
  }
}

/** Tells whether `operation` is older than `known`. A poll's answer can arrive after a newer event. */
function isOlder(operation: Operation, known: Operation): boolean {
  if (known.state !== "running") return operation.state === "running";
  return Date.parse(operation.updated_at) < Date.parse(known.updated_at);
}
