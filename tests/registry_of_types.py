"""A fake of the part of Dagger's API that modules register with: it keeps what it is told.

The fields are those of docs/docs-graphql/schema.graphqls at v0.21.8 that the SDK's registration uses.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from graphql import GraphQLResolveInfo, build_schema, execute_sync, parse

SCHEMA = build_schema("""
scalar ID
scalar JSON
enum FunctionCachePolicy { Default Never PerSession }
enum TypeDefKind { STRING_KIND INTEGER_KIND FLOAT_KIND BOOLEAN_KIND VOID_KIND LIST_KIND OBJECT_KIND }
type Query {
  version: String!
  module: Module!
  typeDef: TypeDef!
  function(name: String!, returnType: ID!): Function!
}
type Module {
  id: ID!
  withDescription(description: String!): Module!
  withObject(object: ID!): Module!
}
type TypeDef {
  id: ID!
  withConstructor(function: ID!): TypeDef!
  withFunction(function: ID!): TypeDef!
  withKind(kind: TypeDefKind!): TypeDef!
  withListOf(elementType: ID!): TypeDef!
  withObject(name: String!, description: String = "", deprecated: String): TypeDef!
  withOptional(optional: Boolean!): TypeDef!
}
type Function {
  id: ID!
  withArg(
    name: String!, typeDef: ID!, description: String = "", defaultValue: JSON, defaultPath: String = "",
    ignore: [String!] = [], deprecated: String, defaultAddress: String = ""
  ): Function!
  withCachePolicy(policy: FunctionCachePolicy!, timeToLive: String): Function!
  withCheck: Function!
  withDescription(description: String!): Function!
}
""")


@dataclass(frozen=True)
class Call:
    """A field and its arguments, IDs replaced by what they stand for."""

    name: str
    arguments: dict[str, Any]


Value = tuple[Call, ...]


class _Server(HTTPServer):
    # The SDK registers all functions at once, each over a connection of its own; five may wait by default.
    request_queue_size = 512


@dataclass
class Registry:
    """What has been registered, by ID; a value is the calls that made it."""

    port: int = 0
    values: dict[str, Value] = field(default_factory=dict)

    def resolve(self, parent: Value, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        """Answer any field."""
        if info.field_name == "id":
            name = f"value-{len(self.values)}"
            self.values[name] = parent
            return name
        arguments = {
            key: self.values.get(value, value) if isinstance(value, str) else value for key, value in given.items()
        }
        return (*parent, Call(info.field_name, arguments))


@contextmanager
def serve() -> Iterator[Registry]:
    """Serve the API on the loopback."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            # A query comes for each argument of the module: to validate them takes longer than all the rest.
            document = parse(body["query"], no_location=True)
            result = execute_sync(SCHEMA, document, root_value=(), field_resolver=registry.resolve)
            answer = json.dumps(result.formatted).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        registry.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield registry
        finally:
            server.shutdown()
