import type { Operation } from "../api/types";

/** Activations that this page has seen, newest first, until a person dismisses them. */
export class OperationLog {
  #operations: readonly Operation[] = [];
  #followed: string | undefined;
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

  /** Names the operation that a dialog shows step by step, so that it is not shown a second time elsewhere. */
  setShownInDialog(id: string | undefined): void {
    this.#followed = id;
    this.#set(this.#operations);
  }

  get shownInDialog(): string | undefined {
    return this.#followed;
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

/** A poll's answer may arrive after a newer event. */
function isOlder(operation: Operation, known: Operation): boolean {
  if (known.state !== "running") return operation.state === "running";
  return Date.parse(operation.updated_at) < Date.parse(known.updated_at);
}
