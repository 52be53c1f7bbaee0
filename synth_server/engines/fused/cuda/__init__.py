"""The engine `fused` on a CUDA card: the formulas of the CPU, spread over the threads of a block per sound.

Nothing here has arithmetic of its own. Only `kernel.py` and what leads to it imports numba.cuda.

rooms.py: the memory of the blocks
settings.py -> controls.py -> audio.py: what one thread does of a sound
kernel.py: the threads together; compiler.py: how they are compiled
card.py, program.py -> lane.py -> player.py: from theta to audio
"""
