"""Parses queries, and reads the texts in them, such as the contents of files, at once.

graphql-core looks at each character of a text in Python, which takes a quarter of a second for a megabyte.
"""

import json
import re

from graphql import DocumentNode, Source, TokenKind
from graphql.language import Lexer, Token
from graphql.language.parser import Parser

_JSON = json.JSONDecoder(strict=False)
#: What GraphQL forbids in a text or reads in another way than JSON: https://spec.graphql.org/October2021/#sec-String-Value
_NOT_AS_JSON = re.compile(r"[\r\n\ud800-\udfff]|\\u")


def parse(query: str) -> DocumentNode:
    """Parse a query.

    Raises:
        GraphQLSyntaxError: it is not one.
    """
    source = Source(query)
    return Parser(source, lexer=_TextLexer(source)).parse_document()


class _TextLexer(Lexer):
    def read_string(self, start: int) -> Token:
        """Return the token of the text that begins at a place of the query."""
        body = self.source.body
        try:
            text, end = _JSON.raw_decode(body, start)
        except ValueError:
            return super().read_string(start)
        if _NOT_AS_JSON.search(body, start, end):
            return super().read_string(start)
        return self.create_token(TokenKind.STRING, start, end, text)
