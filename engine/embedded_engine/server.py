"""Serves GraphQL over HTTP on the loopback interface, for Dagger's SDKs."""

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import uvicorn
from graphql import (
    ASTValidationRule,
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    TokenKind,
    build_schema,
    execute,
    specified_rules,
    validate,
)

from embedded_engine.api import Engine
from embedded_engine.api.fields import resolve
from embedded_engine.connections import BACKLOG, Lobby, connections_of
from embedded_engine.graph.values import Query
from embedded_engine.host.bounded import Malformed, decode_json
from embedded_engine.host.errors import BadInput, EngineError, NotPermitted
from embedded_engine.host.peers import Questions
from embedded_engine.parser import parse

#: The largest request in bytes: a text of 128 MiB, the limit of `contents`, with room for escapes.
LARGEST_BODY = 256 << 20
#: The most seconds between two pieces of a request.
BODY_TIME_LIMIT = 60.0

NESTED = "The request is nested too deeply; make a shorter chain, with `sync` in between."

SCHEMA = Path(__file__).with_name("schema.graphql")

#: What begins a variable, a fragment or a directive.
_MORE_THAN_FIELDS = (TokenKind.DOLLAR, TokenKind.SPREAD, TokenKind.AT)
#: The rules that can find something in one operation without any of these.
_RULES_OF_FIELDS = tuple(
    rule for rule in specified_rules if not any(name in rule.__name__ for name in ("Variable", "Fragment", "Directive"))
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def read_schema() -> GraphQLSchema:
    """Return the served schema."""
    # A test validates the schema; validating it at every start would take time.
    return build_schema(SCHEMA.read_text(), assume_valid=True)


class Server:
    """Answers the requests of one session.

    Args:
        engine: the state of the session.
        token: the token that a client must show.
        callers: decides who may call, on machines where steps can reach the engine.
    """

    def __init__(self, engine: Engine, token: str, callers: Questions | None = None) -> None:
        self._engine, self._schema, self._callers = engine, read_schema(), callers
        self.lobby = Lobby(b"Basic " + base64.b64encode(f"{token}:".encode()), os.geteuid())
        # Clients repeat a query soon or never, and a parsed one takes many times the memory of its text.
        self._parsed = lru_cache(maxsize=16)(self._parse)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3.0); every answer is JSON, because SDKs repeat a query after any other answer."""
        if scope["type"] != "http":
            return
        if not self.lobby.knows(dict(scope["headers"]).get(b"authorization", b"")):
            await _send(send, 401, _refused("The session token is missing or wrong."))
            return
        if self._callers and not await self._callers.may_call(scope["client"][1]):
            await _send(send, 403, _refused("No step may call the engine that runs it."))
            return
        try:
            body = await _body(receive)
        except BadInput as error:
            await _send(send, 413, _refused(str(error)))
            return
        await _send(send, 200, await self.answer(body))

    async def answer(self, body: bytes) -> dict[str, Any]:
        """Return the response to a request's body."""
        try:
            request = _Request.read(body)
            document, errors = self._parsed(request.query)
        except RecursionError:
            return _refused(NESTED)
        except BadInput as error:
            return _refused(f"The request is not a GraphQL query: {error}")
        except GraphQLError as error:
            # The parser catches the interpreter's error since graphql-core 3.3, and has no type for its own.
            too_deep = "nested too deeply" in error.message
            return _refused(NESTED if too_deep else f"The request is not a GraphQL query: {error.message}")
        if errors:
            return {"data": None, "errors": [_formatted(error) for error in errors]}
        found = execute(
            self._schema,
            document,
            root_value=Query(),
            context_value=self._engine,
            variable_values=request.variables,
            operation_name=request.operation,
            field_resolver=resolve,
            type_resolver=lambda value, *_: type(value).__name__,
        )
        result: ExecutionResult = found if isinstance(found, ExecutionResult) else await found
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [_formatted(error) for error in result.errors]
        return answer

    def _parse(self, query: str) -> tuple[DocumentNode, list[GraphQLError]]:
        document = parse(query)
        return document, validate(self._schema, document, rules_for(document))


def rules_for(document: DocumentNode) -> Sequence[type[ASTValidationRule]]:
    """Return the rules that can find something in a document; each takes time for every field."""
    token = document.loc and document.loc.start_token
    while token and token.kind not in _MORE_THAN_FIELDS:
        token = token.next
    return specified_rules if token or len(document.definitions) > 1 else _RULES_OF_FIELDS


@dataclass(frozen=True)
class _Request:
    """The body of a request: https://graphql.org/learn/serving-over-http, "Request format"."""

    query: str
    variables: dict[str, Any] | None
    operation: str | None

    @classmethod
    def read(cls, body: bytes) -> "_Request":
        """Read a body.

        Raises:
            BadInput: the body is not a request.
        """
        try:
            document = decode_json(body)
        except Malformed as error:
            raise BadInput(f"{error}.") from None
        fields = document if isinstance(document, dict) else {}
        query, variables, operation = (fields.get(name) for name in ("query", "variables", "operationName"))
        if not (isinstance(query, str) and isinstance(variables, dict | None) and isinstance(operation, str | None)):
            raise BadInput("its body needs the text `query`, and may have the object `variables`.")
        return cls(query, variables, operation)


async def _body(receive: Receive) -> bytes:
    """Return the body of a request.

    Raises:
        BadInput: the body is too long, or ends early.
    """
    pieces: list[bytes] = []
    size = 0
    while True:
        try:
            message = await asyncio.wait_for(receive(), BODY_TIME_LIMIT)
        except asyncio.TimeoutError:
            raise BadInput(f"The request stopped for {BODY_TIME_LIMIT:.0f} seconds; send it again.") from None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > LARGEST_BODY:
            raise BadInput(f"The request has more than {LARGEST_BODY} bytes; give large files as files of the host.")
        if not message.get("more_body"):
            return b"".join(pieces)


def _refused(why: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": why, "extensions": BadInput(why).extensions()}]}


def _formatted(error: GraphQLError) -> dict[str, Any]:
    answer: dict[str, Any] = dict(error.formatted)
    cause = error.original_error
    if isinstance(cause, PermissionError) and cause.filename:
        cause = NotPermitted(
            f"The file '{cause.filename}' is not for this user: {cause.strerror}; name another, or run as root."
        )
        answer["message"] = str(cause)
    if isinstance(cause, RecursionError):
        cause = BadInput(NESTED)
        answer["message"] = str(cause)
    if isinstance(cause, EngineError):
        answer["extensions"] = cause.extensions()
    elif cause is not None:
        answer["message"] = f"A defect of the embedded engine: {type(cause).__name__}: {cause}"
        answer["extensions"] = EngineError("").extensions()
    return answer


async def _send(send: Send, status: int, answer: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    if status != 200:
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Access to the engine"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


async def serve(app: Server, listener: socket.socket, ended: Awaitable[None]) -> None:
    """Serve until an event; requests in progress are cancelled then.

    Args:
        app: answers the requests.
        listener: a bound socket.
        ended: the event that ends the session.
    """
    # A client's connections live as long as the session, since clients treat a closed idle connection as an error.
    config = uvicorn.Config(
        app,
        log_level="critical",
        lifespan="off",
        http=connections_of(app.lobby),  # type: ignore[arg-type]
        ws="none",
        access_log=False,
        timeout_keep_alive=86_400,
        backlog=BACKLOG,
    )
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    ending = asyncio.ensure_future(ended)
    await asyncio.wait([running, ending], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = server.force_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await running
    ending.cancel()
