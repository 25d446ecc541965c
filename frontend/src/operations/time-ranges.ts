import { limits } from "../api/limits";

const CANDIDATES = [5, 15, 30, 60, 6 * 60, 24 * 60];

/** Time ranges of the charts, in minutes: those that the server keeps statistics for. */
export const TIME_RANGES: readonly number[] = CANDIDATES.filter((minutes) => minutes <= limits.metricsMinutes);

export const DEFAULT_RANGE = 15;
