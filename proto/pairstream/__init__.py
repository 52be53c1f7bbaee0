"""Pairstream: audio doppelgänger pairs as a stream. What producers and consumers must agree on."""

from pairstream.block import PairBlock
from pairstream.client import Client
from pairstream.connect import connect
from pairstream.spec import StreamSpec

__all__ = ["Client", "PairBlock", "StreamSpec", "connect"]
