"""The engine `fused`: one pass over each sound, with arithmetic of its own; the same bytes on every processor.

scalar.py -> controls.py, tones.py, hiss.py: formulas of one sample
wiring.py, grid.py: the patch and the format as tables
settings.py -> control_pass.py -> block.py, audio_pass.py -> kernel.py -> cpu_player.py: from theta to audio on a CPU
cuda/: from theta to audio on a card
player.py -> engine.py: what both are behind
"""
