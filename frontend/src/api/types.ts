import type { components } from "./schema";

type Schemas = components["schemas"];

export type AccessState = Schemas["AccessState"];
export type Role = Schemas["Role"];
/** A person, or an identity of another service. */
export type User = Schemas["UserOut"];
export type UserCreate = Schemas["UserCreate"];
export type UserUpdate = Schemas["UserUpdate"];
export type MachineKey = Schemas["KeyOut"];
export type KeyCreate = Schemas["KeyCreate"];
export type KeyUpdate = Schemas["KeyUpdate"];
export type Policies = Schemas["Policies"];
export type PolicyStatus = Schemas["PolicyStatus"];
export type PoliciesUpdate = Schemas["PoliciesUpdate"];
export type FreezeWindow = Schemas["FreezeWindow"];
export type Confirmation = Schemas["Confirmation"];
export type ActivationRequest = Schemas["ActivationRequest"];
export type Model = Schemas["ModelOut"];
export type ModelDetail = Schemas["ModelDetail"];
export type ModelCreate = Schemas["ModelCreate"];
export type ModelUpdate = Schemas["ModelUpdate"];
export type ModelExamples = Schemas["ModelExamples"];
export type ExamplesSummary = Schemas["ExamplesSummary"];
export type ExamplesProof = Schemas["ExamplesProof"];
export type ClipProof = Schemas["ClipProof"];
export type ModelIdentity = Schemas["ModelIdentity"];
export type Operation = Schemas["Operation"];
export type Step = Schemas["Step"];
export type CompileReport = Schemas["CompileReport"];
export type Spec = Schemas["Spec"];
export type PipelineStep = Schemas["PipelineStep"];
export type PipelineFact = Schemas["PipelineFact"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type Status = Schemas["Status"];
export type Prediction = Schemas["Prediction"];
export type Finding = Schemas["Finding"];
export type PredictionLine = Schemas["PredictionLine"];
export type BatchLine = Schemas["BatchLine"];
export type ScoredWindow = Schemas["Window"];
export type Metrics = Schemas["TrafficSummary"];
export type Problem = Schemas["Problem"];
export type Uploaded = Schemas["UploadedFile"];
/** The server's events: the data of each, by the event's name. */
export type EventData = Schemas["EventData"];
export type StreamStart = Schemas["StreamStart"];
export type StreamEnd = Schemas["StreamEnd"];
/** A message of the server over the stream. Times are seconds since the stream's first sample. */
export type StreamMessage = Schemas["StreamMessage"];
export type StreamWindow = Schemas["StreamWindow"];
