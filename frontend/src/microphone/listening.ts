import { toProblem } from "../api/problem";
import { CaptureClock } from "../audio/capture-clock";
import { measureLevel } from "../audio/level";
import { type Capture, openMicrophone } from "../audio/microphone";
import { type Crossing, closeCrossings } from "./crossings";
import { assessHearing, type Hearing, isSameHearing } from "./hearing";
import { loadListening, saveListening } from "./listening-storage";
import { RollingSpectrogram } from "./rolling-spectrogram";
import { buildStreamUrl, ScoreStream, type StreamState } from "./score-stream";
import { applyMessage, applyThreshold, EMPTY_SESSION, type SessionState, togglePin } from "./session-state";

const WATCH_MS = 250;
const SAVE_MS = 5000;

/** The picture of the sound. It stays after listening ends. */
export interface Sound {
  spectrum: RollingSpectrogram;
  /** Returns the time at the picture's right edge in seconds since 1970. */
  getTime: () => number;
}

export interface ListeningState {
  connection: StreamState;
  session: SessionState;
  hearing: Hearing;
  /** Level of the input in dBFS; undefined while the microphone is off. */
  level: number | undefined;
  activeProcessing: readonly string[];
  sound: Sound | undefined;
  modelId: number | undefined;
  deviceId: string | undefined;
}

type Ring = (crossings: readonly Crossing[], hearing: Hearing) => void;

/**
 * Connects the microphone with the server's stream and keeps the scores. It belongs to the tab, not to a page.
 *
 * `ring` is called with crossings that began (of the pinned labels, if any is pinned), and when no scores come any more.
 */
export class Listening {
  #state: ListeningState;
  #capture: Capture | undefined;
  #stream: ScoreStream | undefined;
  #clock: CaptureClock | undefined;
  #blockAt = 0;
  #begun = 0;
  #first = true;
  #savedAt = 0;
  #watchedAt = 0;
  /** The loudest block since the last look. */
  #level = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The latest call of `start`; an earlier one that still waits for permission must not begin. */
  #attempt = 0;
  readonly #ring: Ring;
  readonly #listeners = new Set<() => void>();

  constructor(ring: Ring) {
    this.#ring = ring;
    const stored = loadListening();
    const session = stored?.session ?? EMPTY_SESSION;
    this.#state = {
      connection: "idle",
      session: { ...session, crossings: closeCrossings(session.crossings) },
      hearing: { kind: "off" },
      level: undefined,
      activeProcessing: [],
      sound: undefined,
      modelId: stored?.modelId,
      deviceId: stored?.deviceId,
    };
  }

  get state(): ListeningState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Goes on after a reload. What was said in between counts as not heard. */
  resume(): void {
    addEventListener("pagehide", this.#save);
    if (loadListening()?.active && this.#state.connection === "idle") void this.start();
  }

  /** Ends listening because the page is left; a reload resumes it. */
  suspend(): void {
    this.#save();
    removeEventListener("pagehide", this.#save);
    this.#release();
  }

  start = async (): Promise<void> => {
    this.#release();
    const own = this.#attempt;
    const { modelId, deviceId } = this.#state;
    this.#begun = Date.now() / 1000;
    this.#set({ connection: "connecting", session: { ...this.#state.session, problem: undefined } });
    try {
      const opened = await openMicrophone(this.#receive, { deviceId });
      if (own !== this.#attempt) {
        opened.stop();
        return;
      }
      this.#listen(opened, modelId);
    } catch (error) {
      if (own !== this.#attempt) return;
      this.#set({ connection: "idle", session: { ...this.#state.session, problem: toProblem(error) } });
    }
  };

  /** Ends listening. The picture and the crossings stay. */
  stop = (): void => {
    this.#release();
    const { session } = this.#state;
    // A pause that a person wants is no outage.
    const ended = { ...session, crossings: closeCrossings(session.crossings), heardUntil: undefined };
    this.#set({ connection: "idle", hearing: { kind: "off" }, level: undefined, session: ended });
    this.#save();
  };

  /** Chooses the model that scores, undefined for the live model; goes on with it while listening. */
  setModel = (modelId: number | undefined): void => this.#choose({ modelId });
  setDevice = (deviceId: string | undefined): void => this.#choose({ deviceId });

  setThreshold = (label: string, threshold: number): void =>
    this.#change((session) => applyThreshold(session, label, threshold));
  dropThresholds = (): void => this.#change((session) => ({ ...session, ownThresholds: {} }));
  togglePin = (label: string): void => this.#change((session) => togglePin(session, label));
  clear = (): void => this.#change((session) => ({ ...session, crossings: [], gaps: [], swaps: [] }));
  /** Marks a crossing as seen, or all of them. */
  acknowledge = (id?: string): void =>
    this.#change((session) => ({
      ...session,
      crossings: session.crossings.map((each) =>
        id === undefined || each.id === id ? { ...each, acknowledged: true } : each,
      ),
    }));

  #listen(capture: Capture, modelId: number | undefined): void {
    const clock = new CaptureClock(capture.sampleRate);
    const spectrum = new RollingSpectrogram(capture.analyser);
    this.#capture = capture;
    this.#clock = clock;
    this.#blockAt = Date.now();
    this.#stream = new ScoreStream(buildStreamUrl(modelId), capture.sampleRate, clock, {
      onState: (connection) => {
        this.#first ||= connection !== "streaming";
        this.#set({ connection });
      },
      onMessage: (message, offset) => {
        if (message.type === "window") this.#first = false;
        this.#change((session) => applyMessage(session, message, offset));
        this.#watch();
      },
    });
    this.#timer = setInterval(this.#watch, WATCH_MS);
    const getTime = () => (this.#clock === clock ? this.#getPresent() : clock.time);
    this.#set({ activeProcessing: capture.activeProcessing, sound: { spectrum, getTime } });
  }

  #receive = (samples: Float32Array, at: number): void => {
    const { sound } = this.#state;
    if (!this.#clock || !sound) return;
    this.#blockAt = Date.now();
    if (this.#clock.add(samples.length, at)) this.#stream?.reconnect();
    else this.#stream?.push(samples);
    sound.spectrum.add(this.#clock.time);
    this.#level = Math.max(this.#level, measureLevel(samples));
    this.#watch();
  };

  /** The present on the sound's clock, also while no sound arrives. */
  #getPresent(): number {
    return (this.#clock?.time ?? 0) + Math.max(0, Date.now() - this.#blockAt) / 1000;
  }

  #watch = (): void => {
    const now = Date.now();
    if (!this.#stream || !this.#clock || Math.abs(now - this.#watchedAt) < WATCH_MS / 2) return;
    this.#watchedAt = now;
    this.#stream.watch(now);
    const hearing = assessHearing({
      connection: this.#stream.state,
      session: this.#state.session,
      now: this.#getPresent(),
      begun: this.#begun,
      first: this.#first,
      sinceBlock: (now - this.#blockAt) / 1000,
      sinceMessage: this.#stream.getSilence(now) / 1000,
    });
    const before = this.#state.hearing;
    const level = hearing.kind === "deaf" && hearing.cause === "microphone" ? undefined : this.#level;
    this.#level = Number.NEGATIVE_INFINITY;
    this.#set({ hearing: isSameHearing(before, hearing) ? before : hearing, level });
    if (hearing.kind === "deaf" && before.kind !== "deaf") this.#ring([], hearing);
    if (now - this.#savedAt > SAVE_MS) this.#save();
  };

  #choose(choice: Partial<Pick<ListeningState, "modelId" | "deviceId">>): void {
    const listening = this.#state.connection !== "idle";
    this.#set(choice);
    if (listening) void this.start();
  }

  #change(change: (session: SessionState) => SessionState): void {
    const { crossings } = this.#state.session;
    const session = change(this.#state.session);
    this.#set({ session });
    const known = new Set(crossings.map((crossing) => crossing.id));
    const begun = session.crossings === crossings ? [] : session.crossings.filter((each) => !known.has(each.id));
    const { pinned } = session;
    const watched = pinned.length === 0 ? begun : begun.filter((each) => pinned.includes(each.label));
    if (watched.length > 0) this.#ring(watched, this.#state.hearing);
  }

  #release(): void {
    this.#attempt += 1;
    clearInterval(this.#timer);
    this.#stream?.stop();
    this.#capture?.stop();
    this.#stream = this.#capture = this.#clock = undefined;
    this.#first = true;
  }

  #save = (): void => {
    this.#savedAt = Date.now();
    const { session, connection, modelId, deviceId } = this.#state;
    saveListening({ session, active: connection !== "idle", modelId, deviceId });
  };

  #set(change: Partial<ListeningState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
