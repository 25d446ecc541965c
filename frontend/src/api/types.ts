import type { components } from "./schema";

type Schemas = components["schemas"];

export type Model = Schemas["ModelOut"];
export type ModelCreate = Schemas["ModelCreate"];
export type ModelUpdate = Schemas["ModelUpdate"];
export type ModelList = Schemas["ModelList"];
export type ModelIdentity = Schemas["ModelIdentity"];
export type Operation = Schemas["Operation"];
export type Step = Schemas["Step"];
export type CompileReport = Schemas["CompileReport"];
export type Spec = Schemas["Spec"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type Status = Schemas["Status"];
export type Prediction = Schemas["Prediction"];
export type ScoredWindow = Schemas["Window"];
export type Metrics = Schemas["TrafficSummary"];
/** Without the list of faults, whose wording `detail` repeats. */
export type Problem = Omit<Schemas["Problem"], "errors">;
export type Uploaded = Schemas["UploadedFile"];
