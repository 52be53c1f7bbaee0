"""Tells who calls a gRPC server, and thereby who has come through the handshake."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import grpc

from synth_server.tcp_peers import Peer

_KINDS: Final = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class CallListener(grpc.ServerInterceptor):
    """Listens to all calls of a server.

    Args:
        asked: told of everybody who calls what the server offers, before it is answered.
    """

    def __init__(self, asked: Callable[[Peer], None]) -> None:
        self._asked = asked

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The same handler, which first tells who it is."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        for kind in _KINDS:
            if behaviour := getattr(handler, kind):
                make = getattr(grpc, f"{kind}_rpc_method_handler")
                told: grpc.RpcMethodHandler[Any, Any] = make(
                    self._telling(behaviour), handler.request_deserializer, handler.response_serializer
                )
                return told
        return handler

    def _telling(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(behaviour)  # with the attributes by which grpc.health says that it needs no thread
        def telling(request: Any, context: grpc.ServicerContext, *more: Any) -> Any:
            self._asked(Peer.named(context.peer()))
            return behaviour(request, context, *more)

        return telling
