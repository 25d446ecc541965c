import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import { alarms } from "./alarms";
import { Listening, type ListeningState } from "./listening";

const ListeningContext = createContext<Listening | null>(null);

/** Keeps the microphone's session above the pages, so that it goes on while pages change. */
export function ListeningProvider({ children }: { children: ReactNode }) {
  const [listening] = useState(() => new Listening(alarms.ring));
  useEffect(() => {
    listening.resume();
    return () => listening.suspend();
  }, [listening]);
  return <ListeningContext value={listening}>{children}</ListeningContext>;
}

export function useListening(): { state: ListeningState; listening: Listening } {
  const listening = use(ListeningContext);
  if (!listening) throw new Error("ListeningProvider is missing above this component");
  const state = useSyncExternalStore(listening.subscribe, () => listening.state);
  return { state, listening };
}
