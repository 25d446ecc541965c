export const model = {
  inputs: {
    waveform: "Waveform",
    log_mel_patch: "Log-mel patches",
    embedding: "YAMNet embeddings",
    scores: "YAMNet scores",
    tensor: "Raw tensors",
  },
};
