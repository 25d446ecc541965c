"""The numbers of Google's YAMNet.

Source: M. Plakal and D. Ellis, YAMNet, tensorflow/models, research/audioset/yamnet: params.py and features.py for the
front end, yamnet.py for the network. A trained model depends on every one of them, so none may change.
"""

NAME = "yamnet"
"""The name of the built-in backbone."""

SAMPLE_RATE = 16_000
"""Hz (params.py, sample_rate)."""

FRAME_SAMPLES = 400
"""Samples of one frame: 25 ms (params.py, stft_window_seconds)."""

FRAME_HOP_SAMPLES = 160
"""Samples from one frame to the next: 10 ms (params.py, stft_hop_seconds)."""

FFT_SIZE = 512
"""Points of the DFT: the next power of two above the frame (features.py, fft_length)."""

MEL_BANDS = 64
"""Mel bands of one frame (params.py, mel_bands)."""

MEL_LOW_HZ, MEL_HIGH_HZ = 125.0, 7500.0
"""Outer edges of the mel bands in Hz (params.py, mel_min_hz and mel_max_hz)."""

LOG_OFFSET = 1e-3
"""Added to a mel magnitude before its natural logarithm (params.py, log_offset)."""

PATCH_FRAMES = 96
"""Frames of one patch (params.py, patch_frames)."""

PATCH_HOP_FRAMES = 48
"""Frames from one patch to the next (params.py, patch_hop_seconds / stft_hop_seconds)."""

PATCH_SHAPE = (PATCH_FRAMES, MEL_BANDS)
"""Frames and mel bands of one patch: the network's input without the batch."""

WINDOW_SECONDS = PATCH_FRAMES * FRAME_HOP_SAMPLES / SAMPLE_RATE
"""0.96 s (params.py, patch_window_seconds)."""

HOP_SECONDS = PATCH_HOP_FRAMES * FRAME_HOP_SAMPLES / SAMPLE_RATE
"""0.48 s (params.py, patch_hop_seconds)."""

CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
"""Output channels of the 14 convolution layers (yamnet.py, _YAMNET_LAYER_DEFS)."""

STRIDE_TWO_LAYERS = frozenset({1, 3, 5, 7, 13})
"""Layers with stride 2, counted from 1; all others have stride 1 (yamnet.py, _YAMNET_LAYER_DEFS)."""

BATCH_NORM_EPSILON = 1e-4
"""Added to the variance in batch normalization, which is centered and not scaled (params.py, batchnorm_epsilon)."""

EMBEDDING_SIZE = CHANNELS[-1]
"""Values of one embedding: the last layer, averaged over time and frequency (yamnet.py)."""

CLASS_COUNT = 521
"""AudioSet classes that have a score (params.py, num_classes)."""
