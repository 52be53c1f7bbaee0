"""Handing a model over: what `trainer export` writes, and how each file is checked before the command says done."""
