import type { StreamState } from "./score-stream";
import type { SessionState } from "./session-state";

/** Why no scores come. */
export type DeafCause = "microphone" | "connection" | "server" | "scores";

export type Hearing =
  | { kind: "off" }
  | { kind: "starting" }
  | { kind: "hearing" }
  /** `since` is the end of the last scored sound in seconds since 1970; `seconds` is how long ago that is. */
  | { kind: "deaf"; cause: DeafCause; since: number; seconds: number };

const SPARE_SECONDS = 1;
/** A stream holds back up to this much at its start, to decide between channels. */
const HELD_BACK_SECONDS = 0.5;
const SILENT_MICROPHONE_SECONDS = 1;
const SILENT_SERVER_SECONDS = 2.5;

interface Observation {
  connection: StreamState;
  session: Pick<SessionState, "hop" | "windowSeconds" | "heardUntil">;
  /** The present on the session's clock, in seconds since 1970. */
  now: number;
  /** When listening began. */
  begun: number;
  /** The present stream has sent no window yet. */
  first: boolean;
  /** Seconds since the last block of samples. */
  sinceBlock: number;
  /** Seconds since the last message of the server. */
  sinceMessage: number;
}

/** Decides whether scores arrive in time: at the latest two hops and a second after the sound. */
export function assessHearing({ connection, session, now, begun, first, ...silence }: Observation): Hearing {
  if (connection === "idle") return { kind: "off" };
  const since = session.heardUntil ?? begun;
  const limit = 2 * session.hop + SPARE_SECONDS;
  // Nothing can be answered before a whole window has been sent.
  const allowed = first && connection === "streaming" ? limit + session.windowSeconds + HELD_BACK_SECONDS : limit;
  const seconds = now - since;
  if (seconds <= allowed) return { kind: first ? "starting" : "hearing" };
  return { kind: "deaf", cause: findCause(connection, silence), since, seconds: Math.round(seconds) };
}

function findCause(
  connection: StreamState,
  { sinceBlock, sinceMessage }: Pick<Observation, "sinceBlock" | "sinceMessage">,
): DeafCause {
  if (sinceBlock > SILENT_MICROPHONE_SECONDS) return "microphone";
  if (sinceMessage > SILENT_SERVER_SECONDS && connection !== "waiting") return "server";
  return connection === "streaming" ? "scores" : "connection";
}

/** Tells whether two results look the same on screen. */
export function isSameHearing(one: Hearing, other: Hearing): boolean {
  if (one.kind !== "deaf" || other.kind !== "deaf") return one.kind === other.kind;
  return one.cause === other.cause && one.seconds === other.seconds && one.since === other.since;
}
