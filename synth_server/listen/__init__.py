"""The page of `synth-server listen`: pairs to hear, to see and to compare."""
