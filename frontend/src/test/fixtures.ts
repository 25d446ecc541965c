import type {
  ClipProof,
  CompileReport,
  HistoryEntry,
  Metrics,
  ModelDetail,
  ModelExamples,
  Operation,
  PipelineFact,
  PipelineStep,
  PolicyStatus,
  Prediction,
  Problem,
  ScoredWindow,
  Spec,
  Status,
} from "../api/types";

export function makeModel(own: Partial<ModelDetail> = {}): ModelDetail {
  return {
    model_id: 1,
    model_name: "Starter",
    version: "v1.0",
    file_path: "models/starter.keras",
    description: null,
    model_type: "log_mel",
    accuracy: 0.8725,
    created_at: "2026-11-01T10:00:00Z",
    updated_at: "2026-11-01T10:00:00Z",
    is_active: false,
    created_by_user_id: null,
    file_exists: true,
    file_changed: false,
    file_bytes: 1_310_720,
    digest: "262b4ff6afdd0000000000000000000000000000000000000000000000000000",
    compile_state: "ready",
    compile_error: null,
    given_spec: null,
    spec_pending: false,
    label_count: 2,
    labels_named: true,
    preset: null,
    pipeline: [],
    label_files: [],
    examples: { state: "not_proved", examples: 0, agreed: null, max_difference: null, text: "features not proved" },
    notes: [],
    ...own,
  };
}

export function makeStep(kind: PipelineStep["kind"], title: string, own: Partial<PipelineStep> = {}): PipelineStep {
  return { kind, title, facts: [], unsaid: [], ...own };
}

export const makeFact = (name: string, value: string, preset_value: string | null = null): PipelineFact => ({
  name,
  value,
  preset_value,
});

export function makeHistoryEntry(own: Partial<HistoryEntry>): HistoryEntry {
  return {
    history_id: 1,
    at: "2026-11-01T10:00:00Z",
    event: "registered",
    model_id: 1,
    model_name: "Starter",
    version: "v1.0",
    digest: null,
    generation: null,
    actor: "api",
    code: null,
    detail: null,
    remedy: null,
    ...own,
  };
}

export function makeOperation(own: Partial<Operation> = {}): Operation {
  return {
    operation_id: "op1",
    kind: "activate",
    model_id: 2,
    state: "running",
    step: "verify",
    progress: 0,
    generation: null,
    model: null,
    rollout: null,
    error: null,
    started_at: "2026-11-01T10:00:00Z",
    updated_at: "2026-11-01T10:00:00Z",
    warnings: [],
    ...own,
  };
}

export function makeSpec(labels: string[]): Spec {
  return {
    input: "log_mel_patch",
    sample_rate: 16_000,
    window_seconds: 0.96,
    hop_seconds: 0.48,
    labels,
    labels_named: true,
    activation: "softmax",
    aggregation: "mean",
    top_k: 3,
    thresholds: {},
    tail: "pad",
    sound: {
      offset: 0,
      channels: "auto",
      round_to_16_bit: false,
      resampler: "soxr_hq",
      gain: "none",
      gain_level: 1,
    },
    arrangement: { layout: { axes: "time_first", channel: "none", flatten: false } },
  };
}

export function makePolicyStatus(own: Partial<PolicyStatus> = {}): PolicyStatus {
  const policies = { four_eyes: false, request_hours: 24, freezes: [], confirm_minutes: null, signers: [] };
  return { policies, freeze: null, confirmation: null, requests: [], ...own };
}

export function makeWindow(start: number, scores: Record<string, number>): ScoredWindow {
  const [label, score] = Object.entries(scores).sort(([, one], [, other]) => other - one)[0] ?? ["", 0];
  return { start, end: start + 1, label, score, scores };
}

export function makePrediction(windows: ScoredWindow[], own: Partial<Prediction> = {}): Prediction {
  return {
    label: "dog",
    score: 0.9,
    scores: { dog: 0.9, rain: 0.1 },
    windows,
    events: [],
    audio: {
      duration_seconds: windows.length,
      sample_rate: 16_000,
      channels: 1,
      codec: "pcm_s16le",
      level_dbfs: -20,
      peak_dbfs: -3,
      silent: false,
      clipped: false,
    },
    model: { model_id: 1, model_name: "Starter", version: "v1.0", digest: "ab", precision: "float32" },
    generation: 1,
    warnings: [],
    findings: [],
    timing_ms: { queue: 0, decode: 1, features: 1, inference: 1 },
    ...own,
  };
}

export const makeProblem = (own: Partial<Problem> = {}): Problem => ({
  type: "urn:understudy:problem:model_unsafe",
  title: "The model file would run code of its own",
  status: 422,
  code: "model_unsafe",
  detail: "Layer 'scale' is a Lambda layer.",
  remedy: "Replace Lambda layers by standard layers and save the model again.",
  ...own,
});

export const makeReport = (own: Partial<CompileReport> = {}): CompileReport => ({
  compiled_at: "2026-11-01T10:00:00Z",
  format: "keras",
  framework: "keras 3.12",
  graph_activation: "softmax",
  inputs: [{ name: "patch", dtype: "float32", shape: [null, 96, 64] }],
  isolation: ["no network", "4 GB of memory"],
  key: "key",
  notes: [],
  onnx_bytes: 1_200_000,
  onnx_digest: "cd",
  outputs: [{ name: "scores", dtype: "float32", shape: [null, 2] }],
  parity: [{ input_shapes: [[1, 96, 64]], max_abs_error: 2.5e-7, tolerance: 1e-4 }],
  peak_memory_bytes: 800_000_000,
  probes_digest: null,
  quantization: null,
  runtime: "onnxruntime",
  seconds: 12.4,
  source_bytes: 1_310_720,
  source_digest: "ab",
  spec: makeSpec(["dog", "rain"]),
  versions: { onnx: "1.19" },
  written_by: "keras 3.10",
  ...own,
});

export const makeLiveStatus = (own: Partial<NonNullable<Status["live"]>> = {}): NonNullable<Status["live"]> => ({
  generation: 7,
  model: { model_id: 1, model_name: "Starter", version: "v1.0", digest: "ab", precision: "float32" },
  notes: [],
  tensors_only: false,
  since: "2026-11-01T10:00:00Z",
  ...own,
});

export const makeStatus = (own: Partial<Status> = {}): Status => ({
  backbone: { digest: "ef", file: "yamnet.onnx", installed: true },
  backbones: [],
  workers: [],
  database: { dialect: "sqlite", problem: null, reachable: true },
  desired: { generation: 7, model_id: 1, precision: "float32" },
  in_sync: true,
  live: makeLiveStatus(),
  problem: null,
  tasks: [],
  replica: "host-1",
  replicas: [
    {
      replica: "host-1",
      host: "host",
      process_id: 1,
      model_id: 1,
      digest: "ab",
      generation: 7,
      desired_generation: 7,
      load_seconds: 1.5,
      lag_seconds: 0.25,
      state: "live",
      error: null,
      seen_at: "2026-11-01T10:00:00Z",
    },
  ],
  uptime_seconds: 3700,
  version: "0.1.0",
  ...own,
});

export const makeBucket = (own: Partial<Metrics["buckets"][number]> = {}): Metrics["buckets"][number] => ({
  at: "2026-11-01T10:00:00Z",
  observed: true,
  requests: 20,
  errors: 5,
  latency_ms: { p50: 4, p95: 9, p99: 12 },
  stages: { inference: { p50: 2, p95: 3, p99: 4 } },
  ...own,
});

export const makeMetrics = (own: Partial<Metrics> = {}): Metrics => ({
  bucket_seconds: 10,
  buckets: [makeBucket()],
  errors_by_code: {},
  swaps: [],
  total: { requests: 20, errors: 5, latency_ms: { p50: 4, p95: 9, p99: 12 } },
  last_event: null,
  ...own,
});

export function makeClipProof(own: Partial<ClipProof> = {}): ClipProof {
  return {
    file: "siren.wav",
    agrees: true,
    tolerance: 0.01,
    expected_label: "siren",
    served_label: "siren",
    max_difference: 0.001,
    differs_at: "siren",
    expected_score: 0.72,
    served_score: 0.72,
    problem: null,
    findings: [],
    ...own,
  };
}

export function makeExamples(
  state: ModelExamples["summary"]["state"] = "not_proved",
  clips: ClipProof[] = [],
): ModelExamples {
  const agreed = clips.filter((clip) => clip.agrees).length;
  return {
    model_id: 7,
    digest: "ab",
    examples_digest: clips.length ? "cd" : null,
    examples: [],
    summary: {
      state,
      examples: clips.length,
      agreed,
      max_difference: null,
      text: `${agreed} of ${clips.length} agree`,
    },
    proof: clips.length
      ? {
          compiled_key: "key",
          examples_digest: "cd",
          precision: "float32",
          backbone_digest: null,
          program: "understudy 0.1.0",
          allowance: 0,
          clips,
          seconds: 0.1,
          proved_at: "2026-11-01T10:00:00Z",
          agreed,
          max_difference: null,
        }
      : null,
    int8_proof: null,
  };
}
