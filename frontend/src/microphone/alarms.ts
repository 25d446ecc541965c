import { formatPercent } from "../format/numbers";
import { formatTimeOfDay } from "../format/time";
import { text } from "../text";
import type { Crossing } from "./crossings";
import type { Hearing } from "./hearing";

const KEY = "understudy-alarms";
const BEEP_HERTZ = 880;
const BEEP_SECONDS = 0.35;
const BEEP_GAIN = 0.25;

export interface AlarmSettings {
  sound: boolean;
  notify: boolean;
}

/** Calls a person by sound and by notification of the browser, each when it is switched on. */
class Alarms {
  #settings: AlarmSettings = readSettings();
  #context: AudioContext | undefined;
  readonly #listeners = new Set<() => void>();

  get settings(): AlarmSettings {
    return this.#settings;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Switches the sound. It plays once, so that a person knows it and the browser allows it later. */
  setSound(on: boolean): void {
    this.#set({ ...this.#settings, sound: on });
    if (on) this.#beep();
  }

  /** Switches notifications. Asks for permission; returns false where the browser refuses it. */
  async setNotify(on: boolean): Promise<boolean> {
    const allowed =
      !on || (typeof Notification !== "undefined" && (await Notification.requestPermission()) === "granted");
    this.#set({ ...this.#settings, notify: on && allowed });
    return allowed;
  }

  /** Reports crossings that began, or without any that no scores come. */
  ring = (crossings: readonly Crossing[], hearing: Hearing): void => {
    if (this.#settings.sound) this.#beep();
    if (!this.#settings.notify) return;
    const words = text.microphone.alarms;
    for (const { label, peak, start } of crossings) {
      notify(words.crossed(label), words.crossedBody(formatPercent(peak), formatTimeOfDay(start)), label);
    }
    if (crossings.length === 0 && hearing.kind === "deaf") {
      notify(words.deaf, text.microphone.deaf.causes[hearing.cause], "understudy-deaf");
    }
  };

  #beep(): void {
    this.#context ??= new AudioContext();
    const { currentTime, destination } = this.#context;
    const volume = new GainNode(this.#context, { gain: BEEP_GAIN });
    const tone = new OscillatorNode(this.#context, { frequency: BEEP_HERTZ });
    volume.gain.setTargetAtTime(0, currentTime + BEEP_SECONDS / 2, BEEP_SECONDS / 8);
    tone.connect(volume).connect(destination);
    tone.start();
    tone.stop(currentTime + BEEP_SECONDS);
  }

  #set(settings: AlarmSettings): void {
    this.#settings = settings;
    localStorage.setItem(KEY, JSON.stringify(settings));
    for (const listener of this.#listeners) listener();
  }
}

function readSettings(): AlarmSettings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<AlarmSettings>;
    return { sound: kept.sound === true, notify: kept.notify === true };
  } catch {
    return { sound: false, notify: false };
  }
}

function notify(title: string, body: string, tag: string): void {
  try {
    new Notification(title, { body, tag });
  } catch {
    // Phones allow notifications only from a service worker. The sound and the list remain.
  }
}

export const alarms = new Alarms();
