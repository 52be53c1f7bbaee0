"""The validation part: some of a training part, set aside to choose by. The test part has no say in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.probes.probe import Numbers

SHARE = 0.2


def validation_part(classes: Numbers, groups: Numbers, seed: int, share: float = SHARE) -> NDArray[np.bool_]:
    """A mask (n,): about `share` of each class's clips; clips of one group stay on one side.

    Groups are taken in random order as long as some class in them still wants its share, none has had it yet, and all
    keep a clip to train on. Classes of fewer than five clips have no share, and go with the others. With every clip a
    group of its own that is a stratified draw. It may be empty, if there is too little.
    """
    random = np.random.default_rng(seed)
    total = np.bincount(classes)
    wanted, taken = np.floor(share * total), np.zeros(len(total))
    chosen = np.zeros(len(classes), dtype=np.bool_)
    members = {group: np.flatnonzero(groups == group) for group in np.unique(groups)}
    for group in random.permutation(list(members)):
        counts = np.bincount(classes[members[group]], minlength=len(total))
        there = counts > 0
        asked = there & (wanted > 0)
        if asked.any() and (taken < wanted)[asked].all() and (taken + counts < total)[there].all():
            chosen[members[group]] = True
            taken += counts
    return chosen
