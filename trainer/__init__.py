"""The consumer: pairs in, encoder out."""

import os

# Lightning's torchmetrics loads onnxruntime wherever it is installed, which then tells its maker of every process.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
